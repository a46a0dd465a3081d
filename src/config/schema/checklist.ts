import { z } from 'zod';
import { CommandCheck } from './checks/command.ts';
import { HttpCheck } from './checks/http.ts';
import { ImportsCheck } from './checks/imports.ts';
import { LogsCheck } from './checks/logs.ts';
import { ManualCheck } from './checks/manual.ts';
import { StartupCheck } from './checks/startup.ts';
import { SuiteCheck } from './checks/suite.ts';
import { WebsocketCheck } from './checks/websocket.ts';
import { list } from './text.ts';

const Check = z.discriminatedUnion(
  'kind',
  [HttpCheck, WebsocketCheck, StartupCheck, LogsCheck, CommandCheck, SuiteCheck, ImportsCheck, ManualCheck],
  { error: 'http, websocket, startup, logs, command, suite, imports, manual' },
);

export const Checklist = list(Check).describe('What must hold before and after the traffic moves.');
