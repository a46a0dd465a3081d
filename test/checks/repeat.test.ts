import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CheckOutcome } from '../../src/checks/context.ts';
import { weigh } from '../../src/checks/known-failure.ts';
import { repeat } from '../../src/checks/repeat.ts';

const never = new AbortController().signal;

/** P, F, I, S, L: passed, failed, inconclusive, skipped, a last word. */
function script(letters: string): () => Promise<CheckOutcome> {
  const left = [...letters];
  return async () => {
    switch (left.shift()) {
      case 'P':
        return { status: 'passed', reason: 'as expected' };
      case 'F':
        return { status: 'failed', reason: 'found 503' };
      case 'I':
        return { status: 'inconclusive', reason: 'no end' };
      case 'S':
        return { status: 'skipped', reason: 'not here' };
      case 'L':
        return { status: 'failed', reason: 'too slow', final: true };
      default:
        throw new Error('tried more often than it should');
    }
  };
}

test.each<[string, number, number, string, string]>([
  ['P', 1, 1, 'passed', 'as expected'],
  ['F', 1, 1, 'failed', 'found 503'],
  ['FP', 1, 2, 'passed', 'as expected, after once it had failed: found 503'],
  ['FF', 1, 2, 'failed', 'found 503 (2 attempts)'],
  ['IF', 1, 2, 'failed', 'found 503 (2 attempts)'],
  ['PP', 2, 1, 'passed', 'as expected, 2 times in a row'],
  ['PF', 2, 1, 'failed', 'found 503 (after once it had passed)'],
  ['PFPP', 2, 2, 'passed', 'as expected, 2 times in a row, after once it had failed: found 503'],
  ['PFPF', 2, 2, 'failed', 'found 503 (2 attempts) (after once it had passed)'],
  ['L', 1, 3, 'failed', 'too slow'],
  ['S', 1, 3, 'skipped', 'not here'],
])('%s with %i passes in a row and %i attempts', async (letters, successes, attempts, status, reason) => {
  expect(await repeat({ successes, attempts }, script(letters), never)).toMatchObject({ status, reason });
});

test('a run that is stopped begins no further try', async () => {
  const stop = new AbortController();
  const tryOnce = async (): Promise<CheckOutcome> => {
    stop.abort();
    return { status: 'passed', reason: 'as expected' };
  };
  expect(await repeat({ successes: 5, attempts: 1 }, tryOnce, stop.signal)).toMatchObject({
    status: 'inconclusive',
    reason: 'the run was stopped during this check',
  });
});

const known = { until: '2026-11-30', reason: 'Ben mends it' };
const failure: CheckOutcome = { status: 'failed', reason: 'found 503' };

test('a known failure stops nothing to the end of its day in UTC, and counts from the next one on', () => {
  const last = new Date('2026-11-30T23:59:59.999Z');
  const next = new Date('2026-12-01T00:00:00Z');
  expect(weigh(failure, known, last)).toEqual({ ...failure, expectedToFail: known });
  expect(weigh(failure, known, next)).toEqual({
    status: 'failed',
    reason: 'it counts since 2026-12-01, being known until 2026-11-30 only (Ben mends it): found 503',
  });
});

test('a pass of a known failure says that it can be declared no longer', () => {
  const weighed = weigh({ status: 'passed', reason: 'as expected' }, known, new Date('2026-11-22T00:00:00Z'));
  expect(weighed).toEqual({
    status: 'passed',
    reason: 'it passes now: remove expectedToFail; as expected',
  });
});

test('without a declaration, and for what nobody has tried, nothing changes at any time', () => {
  const dates = fc.date({ noInvalidDate: true, min: new Date('1990-01-01'), max: new Date('2200-01-01') });
  fc.assert(
    fc.property(dates, fc.constantFrom('skipped' as const, 'pending' as const), (now, status) => {
      expect(weigh(failure, undefined, now)).toBe(failure);
      const outcome = { status, reason: 'x' };
      expect(weigh(outcome, known, now)).toBe(outcome);
    }),
  );
});
