import { expect, test } from 'vitest';
import type { CheckContext, FormerLog } from '../../src/checks/context.ts';
import { LogErrors } from '../../src/checks/log-errors.ts';
import { runChecks } from '../../src/checks/run.ts';
import { formerLog, stageLog } from '../../src/checks/stage-log.ts';
import type { LogEntry, LogsPort } from '../../src/cloud/ports/index.ts';
import type { LogsCheck } from '../../src/config/check-spec.ts';
import { contextFor, entryOf, logOf, logsCheck } from './given.ts';

const refused = (count: number) => entryOf(`r${count}`, `ERROR: connection ${count} refused`, 'ERROR');
const former = (entries: LogEntry[], complete = true): FormerLog => ({
  revisions: ['chat-00001'],
  read: async () => ({ entries, complete }),
});
const unreadable: FormerLog = {
  revisions: ['chat-00001'],
  read: () => Promise.reject(new Error('quota exhausted')),
};

async function check(
  own: LogEntry[],
  before: CheckContext['former'],
  spec: Partial<LogsCheck> = {},
  history: LogEntry[] = [],
  complete = true,
) {
  const context = contextFor('http://x', { log: logOf([own], history, complete), former: before });
  const [result] = await runChecks([logsCheck({ regressions: true, ...spec })], context, () => {});
  if (!result) throw new Error('the check is of this stage');
  return result;
}

const quiet = entryOf('q', 'listening');

test.each<[string, LogEntry[], CheckContext['former'], string, string]>([
  ['no error', [quiet], unreadable, 'passed', 'no error within 1 s (1 entries read)'],
  [
    'known errors',
    [refused(7), refused(8)],
    former([quiet, refused(1)]),
    'passed',
    '1 error, all known of chat-00001',
  ],
  [
    'a new one',
    [refused(7), refused(8)],
    former([quiet]),
    'failed',
    '1 error that chat-00001 did not log: "connection 7 refused" 2 times',
  ],
  [
    'a new one, of a long log',
    [refused(7)],
    former([quiet], false),
    'failed',
    'did not log (as far back as was read): "connection 7',
  ],
  [
    'nothing served before',
    [refused(7)],
    'none',
    'passed',
    'nothing served before to compare with: 1 error of its own, "connection 7 refused"',
  ],
  ['nobody knows what served', [refused(7)], 'unknown', 'inconclusive', 'what served before is not known'],
  [
    'the former log is unreadable',
    [refused(7)],
    unreadable,
    'inconclusive',
    'the log of chat-00001 cannot be read (quota exhausted)',
  ],
  [
    'the former log is gone',
    [refused(7)],
    former([]),
    'inconclusive',
    'the log of chat-00001 holds no entries any more',
  ],
])('%s', async (_, own, before, status, reason) => {
  const result = await check(own, before);
  expect(result.status).toBe(status);
  expect(result.reason).toContain(reason);
});

test('names the most frequent of the new ones, with the entries that show them', async () => {
  const own = ['a', 'b', 'c', 'c', 'd'].map((name, index) =>
    entryOf(`i${index}`, `no ${name} here`, 'ERROR'),
  );
  expect(await check(own, former([quiet]))).toMatchObject({
    status: 'failed',
    reason: '4 errors that chat-00001 did not log: "no c here" 2 times, "no a here", "no b here", and 1 more',
    entries: ['i2', 'i3', 'i0', 'i1', 'i4'],
    figures: { newErrors: 4 },
  });
});

test('what the log held before the stage counts too', async () => {
  expect(await check([quiet], former([quiet]), {}, [refused(7)])).toMatchObject({ status: 'failed' });
  const present = { regressions: false, present: ['^warmed up'] };
  const warm = entryOf('w', 'warmed up');
  expect(await check([quiet], 'none', present, [warm])).toMatchObject({ status: 'passed', entries: ['w'] });
  expect(await check([quiet], 'none', present, [quiet])).toMatchObject({ status: 'failed' });
  expect(await check([quiet], 'none', present, [quiet], false)).toMatchObject({
    status: 'inconclusive',
    reason: 'no line matches /^warmed up/ within 1 s (2 entries read, some of a longer log were left out)',
  });
});

const errorsOf = (...entries: LogEntry[]): string[] => {
  const errors = new LogErrors();
  for (const entry of entries) errors.add(entry);
  return errors.all.map(({ sample, count }) => `${count} ${sample}`);
};
const json = (fields: Record<string, unknown>, severity: LogEntry['severity'] = 'DEFAULT'): LogEntry => ({
  ...entryOf('j', '', severity),
  payload: { kind: 'json', json: fields },
});

test.each<[string, LogEntry[], string[]]>([
  ['a line of no severity is none', [entryOf('a', 'error handling is on', 'DEFAULT')], []],
  ['a warning is none', [entryOf('a', 'slow', 'WARNING')], []],
  ['a level in the fields', [json({ level: 50, msg: 'disk is full' })], ['1 disk is full']],
  [
    'the innermost cause of a trace in one entry',
    [
      entryOf(
        'a',
        'Error: start failed\n    at boot (app.js:3:1)\n  [cause]: Error: no route to 10.0.0.1\n    at connect (net.js:1:1)',
        'ERROR',
      ),
    ],
    ['1 Error: no route to 10.0.0.1'],
  ],
  [
    'a Python trace, an entry a line and without a severity',
    [
      'Traceback (most recent call last):',
      '  File "/app/main.py", line 3, in <module>',
      '    raise ValueError("17 is odd")',
      'ValueError: 17 is odd',
    ].map((line, index) => entryOf(`p${index}`, line, 'DEFAULT')),
    ['1 ValueError: 17 is odd'],
  ],
  [
    'frames tell nothing by themselves',
    [
      entryOf('a', '    at boot (app.js:3:1)', 'ERROR'),
      entryOf('b', '  File "/app/main.py", line 3', 'ERROR'),
    ],
    [],
  ],
  [
    'a failed request by its path, on whatever host',
    ['https://candidate---chat.run.app/api?q=1', 'https://chat.run.app/api?q=2'].map((url, index) => ({
      ...entryOf(`q${index}`, '', 'ERROR'),
      payload: { kind: 'none' as const },
      request: { method: 'GET', url, status: 503, latencySeconds: 0.1 },
    })),
    ['2 GET /api answered 503'],
  ],
  [
    'what a check itself was answered is no error of the log',
    [
      {
        ...entryOf('q', '', 'ERROR'),
        payload: { kind: 'none' as const },
        request: { method: 'GET', url: '/tea', status: 503, latencySeconds: 0.1, userAgent: 'sluice-check' },
      },
    ],
    [],
  ],
])('%s', (_, entries, expected) => {
  expect(errorsOf(...entries)).toEqual(expected);
});

/** Lists what it holds and notes what it was asked. */
function logsHolding(entries: LogEntry[]): LogsPort & { filters: string[] } {
  const filters: string[] = [];
  const asked = (filter: string) => {
    filters.push(filter);
    return entries;
  };
  return {
    filters,
    list: async ({ filter, limit }) => asked(filter).slice(0, limit),
    listNewest: async ({ filter, limit }) => asked(filter).slice(-limit),
    tail: () => {
      throw new Error('a stage log lists');
    },
  };
}

const signal = new AbortController().signal;
const many = (count: number) => Array.from({ length: count }, (_, index) => entryOf(String(index), 'x'));
const start = {
  since: new Date('2026-11-22T02:00:00Z'),
  age: () => 0,
  historyFrom: new Date('2026-11-22T01:00:00Z'),
};

test.each([
  [3_000, 3_000, true],
  [4_500, 4_500, true],
  [9_000, 5_000, false],
])('of a log of %i entries both ends are read, %i in all', async (count, read, complete) => {
  const logs = logsHolding(many(count));
  const history = await stageLog(logs, { project: 'demo', filter: 'a' }, start).history(signal);
  expect(history).toMatchObject({ entries: { length: read }, complete });
  expect(history.entries[0]?.insertId).toBe('0');
  expect(history.entries.at(-1)?.insertId).toBe(String(count - 1));
  expect(logs.filters[0]).toBe(
    'a AND timestamp>="2026-11-22T01:00:00.000Z" AND timestamp<"2026-11-22T02:00:00.000Z"',
  );
});

test('the former log is bounded, and says whether that was all', async () => {
  const queryOf = (revision: string) => ({ project: 'demo', filter: revision });
  const whole = await formerLog(logsHolding(many(5)), ['r1'], queryOf).read(signal);
  expect([whole.entries.length, whole.complete]).toEqual([10, true]);
  const long = await formerLog(logsHolding(many(10_000)), ['r1'], queryOf).read(signal);
  expect([long.entries.length, long.complete]).toEqual([8_000, false]);
});
