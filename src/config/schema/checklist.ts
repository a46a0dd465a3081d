import { z } from 'zod';
import { HttpCheck } from './checks/http.ts';
import { LogsCheck } from './checks/logs.ts';
import { ManualCheck } from './checks/manual.ts';
import { StartupCheck } from './checks/startup.ts';
import { WebsocketCheck } from './checks/websocket.ts';
import { list } from './text.ts';

const Check = z.discriminatedUnion(
  'kind',
  [HttpCheck, WebsocketCheck, StartupCheck, LogsCheck, ManualCheck],
  {
    error: 'http, websocket, startup, logs, manual',
  },
);

export const Checklist = list(Check).describe('What must hold before and after the traffic moves.');
