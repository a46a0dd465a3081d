import { expect, test } from 'vitest';
import type { StageLog } from '../../src/checks/context.ts';
import { runChecks } from '../../src/checks/run.ts';
import { stageLog } from '../../src/checks/stage-log.ts';
import { CloudError, type LogEntry, type LogsPort } from '../../src/cloud/ports/index.ts';
import type { LogsCheck } from '../../src/config/check-spec.ts';
import { contextFor, entryOf, logOf, logsCheck } from './given.ts';

async function check(spec: Partial<LogsCheck>, log: StageLog, signal = new AbortController().signal) {
  const context = contextFor('http://127.0.0.1:1', { log, signal });
  const [result] = await runChecks([logsCheck(spec)], context, () => {});
  if (!result) throw new Error('the check is of this stage');
  return result;
}

const lines = logOf([
  [entryOf('a', 'listening on 8080')],
  [
    entryOf('b', '\x1b[31mTraceback (most recent call last):', 'ERROR'),
    entryOf('c', 'Traceback again', 'WARNING'),
    { ...entryOf('d', ''), payload: { kind: 'json', json: { message: 'ready', level: 'Traceback' } } },
  ],
]);

test.each<[string, Partial<LogsCheck>, string, string, string[] | undefined]>([
  [
    'nothing offends',
    { absent: ['panic:'] },
    'passed',
    'no line that must be absent within 1 s (4 entries read)',
    undefined,
  ],
  [
    'an absent pattern matches',
    { absent: ['panic:', '^.*Traceback'] },
    'failed',
    'a line that must be absent (it matches /^.*Traceback/): "Traceback (most recent call last):", and 1 more',
    ['b', 'c'],
  ],
  ['a severity is too high', { maxSeverity: 'ERROR' }, 'failed', '(severity ERROR): "Traceback', ['b']],
  ['a severity is below', { maxSeverity: 'CRITICAL' }, 'passed', 'no line that must be absent', undefined],
  [
    'all present',
    { present: ['listening on \\d+', '^ready$'] },
    'passed',
    '/listening on \\d+/, /^ready$/',
    ['a', 'd'],
  ],
  [
    'one not seen',
    { present: ['listening', 'warmed up'] },
    'failed',
    'no line matches /warmed up/ within 1 s',
    undefined,
  ],
])('%s', async (_, spec, status, reason, entries) => {
  const result = await check(spec, lines);
  expect(result.status).toBe(status);
  expect(result.reason).toContain(reason);
  expect(result.entries).toEqual(entries);
});

/** Yields its first batch, then waits for the end of the run. */
const neverEnding = (first: LogEntry[]): StageLog => ({
  ...logOf([]),
  watch: async function* (_, signal) {
    yield first;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  },
});

test('bad news ends the watch at once, and so does the last line that must be present', async () => {
  const log = neverEnding([entryOf('a', 'panic: nil')]);
  expect(await check({ absent: ['panic:'], windowSeconds: 3600 }, log)).toMatchObject({ status: 'failed' });
  expect(await check({ present: ['nil'], windowSeconds: 3600 }, log)).toMatchObject({ status: 'passed' });
});

test('a log that cannot be read is inconclusive, and so is a pattern that is not RE2', async () => {
  const unreadable: StageLog = {
    ...logOf([]),
    watch: () => {
      const about = { method: 'logging.entries.list', resource: 'projects/demo', said: 'quota exhausted' };
      throw new CloudError('exhausted', about);
    },
  };
  const result = await check({ absent: ['x'] }, unreadable);
  expect(result).toMatchObject({
    status: 'inconclusive',
    reason: expect.stringContaining('quota exhausted'),
  });
  expect(await check({ absent: ['(?=x)'] }, lines)).toMatchObject({ status: 'inconclusive' });
});

test('a watch that the run interrupts, or that outlives its deadline, is inconclusive', async () => {
  const abort = new AbortController();
  const interrupting: StageLog = {
    ...logOf([]),
    watch: (seconds, signal) => {
      abort.abort();
      return neverEnding([]).watch(seconds, signal);
    },
  };
  expect(await check({ absent: ['x'] }, interrupting, abort.signal)).toMatchObject({
    status: 'inconclusive',
    reason: 'the run was stopped during this check',
  });
  expect(
    await check({ absent: ['x'], windowSeconds: 0.1, timeoutSeconds: 0.1 }, neverEnding([])),
  ).toMatchObject({
    status: 'inconclusive',
  });
});

/** Lists what it holds, as Cloud Logging does: from a timestamp on, oldest first, so many at most. */
function logsHolding(entries: LogEntry[]): LogsPort & { lists: number } {
  const port = {
    lists: 0,
    list: async ({ filter, limit }: { filter: string; limit: number }) => {
      port.lists += 1;
      const from = /timestamp>="([^"]+)"$/.exec(filter)?.[1] ?? '';
      return entries.filter(({ timestamp }) => timestamp >= from).slice(0, limit);
    },
    listNewest: async () => [],
    tail: () => {
      throw new Error('a stage log lists');
    },
  };
  return port;
}

async function collected(log: StageLog, windowSeconds: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const batch of log.watch(windowSeconds, new AbortController().signal))
    ids.push(...batch.map(({ insertId }) => insertId));
  return ids;
}

const start = Date.parse('2026-11-22T02:00:00Z');
const entriesAt = (count: number, stepMs: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...entryOf(String(index), 'line'),
    timestamp: new Date(start + index * stepMs).toISOString(),
  }));
const revision = { project: 'demo', filter: 'resource.type="cloud_run_revision"' };

test('the stage log gives every entry of many pages once', async () => {
  const port = logsHolding(entriesAt(2_500, 10));
  const ids = await collected(stageLog(port, revision, { since: new Date(start), age: () => 60_000 }), 30);
  expect(ids).toEqual(Array.from({ length: 2_500 }, (_, index) => String(index)));
});

test('the stage log polls until the window ends and finds late entries', async () => {
  const entries = entriesAt(3, 1_000);
  const port = logsHolding(entries);
  let age = 0;
  const since = new Date(start);
  const log = stageLog(port, revision, {
    since,
    age: () => {
      if (port.lists === 1)
        entries.splice(1, 0, { ...entryOf('late', 'x'), timestamp: new Date(start + 500).toISOString() });
      age += 500;
      return age;
    },
  });
  expect(await collected(log, 1)).toEqual(['0', '1', '2', 'late']);
});

test.each([
  ['more entries at one instant than a page holds', entriesAt(1_001, 0)],
  ['more entries than can be read whole', entriesAt(51_000, 1)],
])('the stage log refuses %s', async (_, entries) => {
  const log = stageLog(logsHolding(entries), revision, { since: new Date(start), age: () => 60_000 });
  await expect(collected(log, 30)).rejects.toThrow('it has over');
});
