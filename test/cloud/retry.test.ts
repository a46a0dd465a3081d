import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CloudErrorKind } from '../../src/cloud/ports/index.ts';
import { briefRead, neverForWrites, pauseBefore, quotaRead, transientRead } from '../../src/cloud/retry.ts';

const minute = 60_000;

test.for<[string, typeof transientRead, CloudErrorKind, number, boolean]>([
  ['a read of a server that is away', transientRead, 'unavailable', 1, true],
  ['a read that was tried often enough', transientRead, 'unavailable', 6, false],
  ['a read that was refused', transientRead, 'forbidden', 1, false],
  ['a read whose quota is used up', transientRead, 'exhausted', 1, false],
  ['a list of logs whose quota is used up', quotaRead, 'exhausted', 1, true],
  ['a long poll, once', briefRead, 'unavailable', 1, true],
  ['a long poll, twice', briefRead, 'unavailable', 2, false],
  ['a write to a server that is away', neverForWrites, 'unavailable', 1, false],
  ['a write whose quota is used up', neverForWrites, 'exhausted', 1, false],
])('%s', ([, policy, kind, failed, again]) => {
  expect(pauseBefore(policy, kind, failed, minute, 0.5) !== undefined).toBe(again);
});

test('a pause grows, stays within its bounds and ends before the deadline', () => {
  const policies = fc.constantFrom(transientRead, quotaRead, briefRead);
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      policies,
      fc.integer({ min: 1, max: 10 }),
      fc.nat(20_000),
      random,
      (policy, failed, left, r) => {
        const pause = pauseBefore(policy, 'unavailable', failed, left, r);
        if (pause === undefined) return;
        expect(pause).toBeGreaterThanOrEqual(policy.backoff.firstMs / 2);
        expect(pause).toBeLessThanOrEqual(policy.backoff.mostMs);
        expect(pause).toBeLessThan(left);
        expect(failed).toBeLessThan(policy.attempts);
      },
    ),
  );
});
