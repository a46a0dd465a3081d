import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { CheckContext, ProgramSetting, StageLog } from '../../src/checks/context.ts';
import type { LogEntry, Severity } from '../../src/cloud/ports/index.ts';
import type { HttpCheck, LogsCheck } from '../../src/config/check-spec.ts';
import type { StartupSpec } from '../../src/config/target.ts';
import { Secret } from '../../src/secret.ts';
import type { RevisionProfile } from '../../src/startup/profile.ts';

/** A real server on loopback for one test; returns its URL. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  return `http://127.0.0.1:${port}`;
}

export const noDemands: StartupSpec = {
  formats: [],
  phases: [],
  systems: { required: [], optional: [] },
  budgets: { phases: {} },
  quietSeconds: 0,
  deadlineSeconds: 10,
};

export function contextFor(url: string, more: Partial<CheckContext> = {}): CheckContext {
  return {
    service: 'chat',
    stage: 'candidate',
    url,
    revision: 'chat-00002',
    digest: 'sha256:bb',
    headers: {},
    token: async () => new Secret('no-token'),
    profile: null,
    startup: noDemands,
    log: logOf([]),
    former: 'none',
    answers: async () => [],
    signCommand: (item) => `sluice sign staging ${item}`,
    now: () => new Date('2026-11-22T12:00:00Z'),
    program: programSetting(),
    signal: new AbortController().signal,
    ...more,
  };
}

export function programSetting(more: Partial<ProgramSetting> = {}): ProgramSetting {
  return {
    environment: 'staging',
    revision: 'chat-00002',
    e2eEnv: {},
    sourceDir: process.cwd(),
    sourceFiles: async () => [],
    ...more,
  };
}

export function httpCheck(more: Partial<HttpCheck> = {}): HttpCheck {
  return {
    id: 'health',
    kind: 'http',
    stages: ['candidate'],
    required: true,
    successes: 1,
    timeoutSeconds: 10,
    method: 'GET',
    path: '/health',
    headers: {},
    attempts: 1,
    expect: { status: [200], json: {}, headers: {} },
    ...more,
  };
}

export function logsCheck(more: Partial<LogsCheck> = {}): LogsCheck {
  return {
    id: 'log',
    kind: 'logs',
    stages: ['candidate'],
    required: true,
    successes: 1,
    timeoutSeconds: 5,
    absent: [],
    present: [],
    regressions: false,
    windowSeconds: 1,
    ...more,
  };
}

export function profileWith(more: Partial<RevisionProfile> = {}): RevisionProfile {
  return {
    service: 'chat',
    revision: 'chat-00002',
    outcome: 'started',
    totalSeconds: 2,
    phases: [],
    systems: [],
    rootCause: null,
    findings: [],
    ...more,
  };
}

export function entryOf(insertId: string, text: string, severity: Severity = 'INFO'): LogEntry {
  return {
    insertId,
    timestamp: '2026-11-22T02:31:06.123456789Z',
    severity,
    log: 'run.googleapis.com/stdout',
    service: 'chat',
    revision: 'chat-00002',
    instance: '',
    payload: { kind: 'text', text },
    trace: '',
  };
}

/** A log whose window gives these batches and then ends. */
export function logOf(batches: LogEntry[][], history: LogEntry[] = [], complete = true): StageLog {
  return {
    history: async () => ({ entries: history, complete }),
    watch: async function* () {
      yield* batches;
    },
  };
}
