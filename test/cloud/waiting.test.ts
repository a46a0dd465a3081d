import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Waiting } from '../../src/cloud/waiting.ts';

/** Intervals on a clock of whole ticks; the events at one tick happen in the order of the list. */
const intervals = fc.array(
  fc.tuple(fc.nat(60), fc.nat(30)).map(([from, length]) => ({ from, to: from + length })),
  { maxLength: 8 },
);

test('counts every tick in which at least one wait is open, once', async () => {
  await fc.assert(
    fc.asyncProperty(intervals, async (list) => {
      let now = 0;
      const waiting = new Waiting(() => now);
      const waits = list.map(({ from, to }) => ({ from, to, ...Promise.withResolvers<void>() }));
      for (now = 0; now <= 100; now += 1) {
        for (const wait of waits) {
          if (wait.from === now) waiting.track(wait.promise);
          if (wait.to === now) wait.resolve();
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      const ticks = Array.from({ length: 100 }, (_, tick) => tick);
      const union = ticks.filter((tick) => list.some(({ from, to }) => from <= tick && tick < to));
      expect(waiting.milliseconds()).toBe(union.length);
    }),
    { numRuns: 25 },
  );
});

test('a wait that is still open counts until now, and a failed one ends', async () => {
  let now = 10;
  const waiting = new Waiting(() => now);
  const { promise, reject } = Promise.withResolvers<never>();
  const tracked = waiting.track(promise);
  now = 15;
  expect(waiting.milliseconds()).toBe(5);
  reject(new Error('gone'));
  await expect(tracked).rejects.toThrow('gone');
  now = 30;
  expect(waiting.milliseconds()).toBe(5);
});
