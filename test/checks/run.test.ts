import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { CheckEvent, StageLog } from '../../src/checks/context.ts';
import { runChecks } from '../../src/checks/run.ts';
import { recordedEventSchema } from '../../src/release/event-schema.ts';
import { contextFor, httpCheck, logOf, logsCheck, profileWith, serve } from './given.ts';

const startupCheck = {
  id: 'startup',
  kind: 'startup',
  stages: ['candidate'],
  required: true,
  successes: 1,
  timeoutSeconds: 5,
} as const;

test('runs the checks of the stage and tells each begin and end, as events that can be recorded', async () => {
  const url = await serve((_, response) => response.end());
  const events: CheckEvent[] = [];
  const specs = [
    httpCheck(),
    httpCheck({ id: 'later', stages: ['post'] }),
    { ...startupCheck, stages: ['candidate' as const] },
    logsCheck({ absent: ['x'], required: false }),
  ];
  const results = await runChecks(specs, contextFor(url, { profile: profileWith() }), (event) => {
    events.push(event);
  });
  expect(results.map(({ id, status, required }) => [id, status, required])).toEqual([
    ['health', 'passed', true],
    ['startup', 'passed', true],
    ['log', 'passed', false],
  ]);
  for (const id of ['health', 'startup', 'log'])
    expect(
      events
        .filter((event) => (event.type === 'check.started' ? event.id : event.result.id) === id)
        .map(({ type }) => type),
    ).toEqual(['check.started', 'check.finished']);
  for (const event of events)
    recordedEventSchema.parse({ v: 1, release: 'r', seq: 1, at: '2026-11-22T02:31:06Z', event });
});

test('asks the service at most four things at a time', async () => {
  const waiting: ServerResponse[] = [];
  let most = 0;
  const url = await serve((_, response) => {
    waiting.push(response);
    most = Math.max(most, waiting.length);
    // All four wait until they are together, and long enough for a fifth to show itself.
    if (waiting.length === 4) setTimeout(() => endAll(waiting.splice(0)), 50);
  });
  const specs = Array.from({ length: 12 }, (_, index) => httpCheck({ id: `check-${index}` }));
  const results = await runChecks(specs, contextFor(url), () => {});
  expect(results.every(({ status }) => status === 'passed')).toBe(true);
  expect(most).toBe(4);
});

function endAll(responses: ServerResponse[]): void {
  for (const response of responses) response.end();
}

test('what goes wrong inside a check, or never ends, is inconclusive', async () => {
  const broken: StageLog = {
    ...logOf([]),
    watch: async function* () {
      yield [];
      throw new TypeError('surprise');
    },
  };
  const specs = [logsCheck({ absent: ['x'] }), httpCheck({ timeoutSeconds: 0.1 })];
  const context = contextFor('http://127.0.0.1:1', { log: broken, idToken: () => new Promise(() => {}) });
  const results = await runChecks(specs, context, () => {});
  expect(results.map(({ status, reason }) => [status, reason])).toEqual([
    ['inconclusive', expect.stringContaining('surprise')],
    ['inconclusive', 'it did not end within 0.1 s'],
  ]);
});

test('an interrupted run skips what has not begun and leaves open what has', async () => {
  const abort = new AbortController();
  const url = await serve(() => abort.abort());
  const specs = Array.from({ length: 6 }, (_, index) => httpCheck({ id: `check-${index}` }));
  const results = await runChecks(specs, contextFor(url, { signal: abort.signal }), () => {});
  const statuses = results.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set(['inconclusive', 'skipped']));
  expect(statuses.at(-1)).toBe('skipped');
});

test('a record that cannot be written stops the checks', async () => {
  const emit = () => Promise.reject(new Error('disk full'));
  await expect(
    runChecks(
      [startupCheck].map((spec) => ({ ...spec, stages: ['candidate' as const] })),
      contextFor('http://x'),
      emit,
    ),
  ).rejects.toThrow('disk full');
});
