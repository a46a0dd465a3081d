import { describe, expect, test } from 'vitest';
import type { LogEntry } from '../../src/cloud/ports/logs.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RecordedStatus } from '../../src/release/recorded-status.ts';
import type { ServiceStatus } from '../../src/release/status.ts';
import { logLine } from '../../src/report/logs.ts';
import { planLines } from '../../src/report/plan.ts';
import { startupLines } from '../../src/report/startup.ts';
import { statusLines } from '../../src/report/status.ts';
import { plainTheme } from '../../src/terminal/theme.ts';
import { importError, profile } from '../terminal/fixtures/events.ts';

describe('a plan', () => {
  const plan: Plan = {
    version: 1,
    service: 'chat',
    environment: 'staging',
    place: { project: 'demo-project', region: 'us-central1', service: 'chat' },
    action: 'update',
    first: false,
    because: 'the config changed',
    changes: [
      { field: 'env.LOG_LEVEL', from: 'info', to: 'debug' },
      { field: 'env.NEW', from: null, to: 'x'.repeat(500) },
      { field: 'env.OLD', from: 'y', to: null },
      { field: 'env.EMPTY', from: '', to: 'z' },
    ],
    image: { from: 'earlier-build', reference: null, source: null },
    revision: 'chat-r1',
    tag: 'candidate',
    formerTraffic: [{ revision: 'chat-r0', percent: 100 }],
    etag: '"1"',
    serviceWide: [{ field: 'public', from: 'no', to: 'yes' }],
    steps: ['candidate', 'checks'],
    notes: ['the build is reused'],
    blockers: [{ what: 'foreign pin', why: 'ada pinned it', next: ['sluice deploy --take-over-traffic'] }],
  };

  test('reads like a diff, with what stops it last', () => {
    expect(planLines(plan, plainTheme)).toEqual([
      'chat → staging  demo-project us-central1',
      '  plan       make a candidate beside what serves: the config changed',
      '  changes    ~ env.LOG_LEVEL  info → debug',
      `             + env.NEW        ${'x'.repeat(71)}…`,
      '             - env.OLD        y',
      "             ~ env.EMPTY      '' → z",
      '  at once    ~ public  no → yes',
      '  revision   chat-r1 at 0 %, tagged candidate',
      '  serves now 100 % chat-r0',
      '  steps      1. candidate',
      '             2. checks',
      '! the build is reused',
      '✖ foreign pin',
      '  ada pinned it',
      '→ sluice deploy --take-over-traffic',
    ]);
  });

  test('of a first deploy says that it stays closed', () => {
    const first = { ...plan, action: 'create', first: true, tag: null, formerTraffic: [] } as const;
    expect(planLines({ ...first, formerTraffic: [] }, plainTheme)).toContain(
      '  revision   chat-r1, closed until it has passed',
    );
  });
});

describe('a status', () => {
  const live: NonNullable<ServiceStatus['live']> = {
    url: 'https://chat.example',
    ready: true,
    conditions: [],
    desired: [{ revision: 'chat-r1', percent: 100 }],
    actual: [{ revision: 'chat-r1', percent: 100 }],
    latestReady: 'chat-r1',
    pin: 'own',
    revision: 'chat-r1',
    digest: `sha256:${'ab'.repeat(32)}`,
    madeBy: 'rel-1',
    createdAt: '2025-06-01T12:00:00Z',
    verified: true,
    public: true,
  };
  const recorded: RecordedStatus = { made: null, lastRelease: null, lock: null, open: [] };
  const view: ServiceStatus & { recorded: RecordedStatus } = {
    service: 'chat',
    environment: 'staging',
    live,
    newestRelease: { id: 'rel-1', state: 'verified' },
    hold: null,
    unfinishedRelease: null,
    recorded,
  };

  const deploy = 'sluice deploy staging --local';

  test('of a healthy service has nothing before the facts', () => {
    expect(statusLines(view, deploy, plainTheme)).toEqual([
      '✔ chat in staging',
      '  url        https://chat.example',
      '  revision   chat-r1  sha256:abababababab',
      '  verdict    ready',
      '  created    2025-06-01T12:00:00Z',
      '  traffic    100 %  chat-r1',
      "  pin        Sluice's own",
      '  release    rel-1  verified',
    ]);
  });

  test('says which revision LATEST is', () => {
    const actual = [{ revision: 'LATEST', percent: 100 }];
    const lines = statusLines({ ...view, live: { ...live, desired: actual, actual } }, deploy, plainTheme);
    expect(lines).toContain('  traffic    100 %  LATEST, now chat-r1');
  });

  test('tells what the ledger knows, who is at work, and what waits for somebody', () => {
    const lines = statusLines(
      {
        ...view,
        recorded: {
          made: {
            ...{ release: 'rel-1', who: 'ada', commit: '0123456789abcdef', dirty: true },
            ...{ verdict: 'pending', intact: false },
          },
          lastRelease: {
            ...{ id: 'rel-2', runbook: 'deploy', outcome: 'failed', exitCode: 13, who: 'bob' },
            started: '2025-06-02T12:00:00Z',
          },
          lock: {
            ...{ who: 'eve', since: '2025-06-03T12:00:00Z', why: 'sluice promote staging production' },
            ...{ release: 'rel-3', host: 'runner' },
          },
          open: [{ what: 'the check french waits for a person', next: 'sluice sign staging french' }],
        },
      },
      deploy,
      plainTheme,
    );
    expect(lines).toEqual([
      '? chat in staging',
      '  · eve is at work since 2025-06-03T12:00:00Z: sluice promote staging production',
      '  ! the check french waits for a person',
      '    → sluice sign staging french',
      '  url        https://chat.example',
      '  revision   chat-r1  sha256:abababababab',
      '  commit     0123456789ab with changes',
      '  verdict    pending  release rel-1  the record does not show that it is whole',
      '  created    2025-06-01T12:00:00Z',
      '  traffic    100 %  chat-r1',
      "  pin        Sluice's own",
      '  release    rel-2  deploy failed, by bob',
    ]);
  });

  test('tells what is unusual first', () => {
    const actual = [
      { revision: 'chat-r0', percent: 0 },
      { revision: 'chat-r2', percent: 0, tag: 'candidate', uri: 'https://candidate---chat.example' },
    ];
    const conditions = [
      { type: 'RoutesReady', state: 'failed', message: 'Revision chat-r2 failed', reason: 'X' } as const,
    ];
    const lines = statusLines(
      {
        ...view,
        live: { ...live, ready: false, conditions, actual, pin: 'LATEST' },
      },
      deploy,
      plainTheme,
    );
    expect(lines.slice(0, 6)).toEqual([
      '? chat in staging',
      '  ✖ not ready',
      '    RoutesReady X: Revision chat-r2 failed',
      '  ✖ traffic is not what is wanted: 100 % chat-r1',
      '  ✖ no revision serves',
      '  ! the traffic follows LATEST: any revision that gets ready serves at once',
    ]);
  });

  test('of a service that is not there says how to make it', () => {
    expect(statusLines({ ...view, live: null }, deploy, plainTheme)).toEqual([
      '– chat in staging does not exist yet',
      '→ sluice deploy staging --local',
    ]);
  });
});

describe('a startup report', () => {
  test('has the root cause first, once, and the rest by whether it stopped the start', () => {
    const warning = {
      ...importError,
      severity: 'warning',
      category: 'warning',
      cause: 'redis is slow',
      hint: '',
    } as const;
    const exit = {
      ...importError,
      category: 'exit',
      cause: 'Container called exit(3).',
      hint: '',
      count: 1,
    } as const;
    const failing = {
      ...profile('chat'),
      outcome: 'crash-loop',
      phases: [],
      systems: [],
      rootCause: importError,
      findings: [importError, exit, warning],
    } as const;
    expect(
      startupLines(
        { version: 1, revisions: [{ ...failing, phases: [], systems: [], findings: [...failing.findings] }] },
        plainTheme,
      ),
    ).toEqual([
      '✖ chat-r1 crashes again and again',
      "  cause      No module named 'app.tools.search'  3 times",
      '             → the module is imported in app/agent.py but is not in the image',
      '  stopped the start',
      '    Container called exit(3).',
      '  did not stop the start',
      '    redis is slow  3 times',
    ]);
  });

  test('of a good start shows phases and systems', () => {
    const lines = startupLines({ version: 1, revisions: [profile('chat')] }, plainTheme);
    expect(lines[0]).toBe('✔ chat-r1 started in 1.96 s');
    expect(lines).toHaveLength(6);
  });

  test('of no entries says so', () => {
    expect(startupLines({ version: 1, revisions: [] }, plainTheme)).toHaveLength(1);
  });
});

describe('a log line', () => {
  const entry: LogEntry = {
    insertId: 'a',
    timestamp: '2025-06-01T12:00:01.250123456Z',
    severity: 'ERROR',
    log: 'run.googleapis.com/stderr',
    service: 'chat',
    revision: 'chat-r1',
    instance: '',
    payload: { kind: 'text', text: 'boom \u001b[2J\nnext' },
    trace: '',
  };

  test.each<[string, Partial<LogEntry>, string]>([
    ['text, made safe', {}, '12:00:01.250  ERROR      chat-r1  boom next'],
    [
      'a JSON message',
      { payload: { kind: 'json', json: { message: 'hi', n: 1 } } },
      '12:00:01.250  ERROR      chat-r1  hi',
    ],
    [
      'other JSON',
      { payload: { kind: 'json', json: { n: 1 } } },
      '12:00:01.250  ERROR      chat-r1  {"n":1}',
    ],
    [
      'a request',
      { severity: 'DEFAULT', request: { method: 'GET', url: '/', status: 200, latencySeconds: 0.012 } },
      '12:00:01.250             chat-r1  GET / 200  12 ms',
    ],
    ['whole seconds', { timestamp: '2025-06-01T12:00:01Z' }, '12:00:01  ERROR      chat-r1  boom next'],
  ])('%s', (_, part, line) => {
    expect(logLine({ ...entry, ...part }, plainTheme)).toBe(line);
  });
});
