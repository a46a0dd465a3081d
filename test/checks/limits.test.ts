import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLimits } from '../../src/checks/limits.ts';
import { checkKinds } from '../../src/checks/result-schema.ts';

type Kind = (typeof checkKinds)[number];

/** Runs one piece of work of each kind and gives every set of kinds that were under way together. */
async function together(kinds: readonly Kind[]): Promise<Kind[][]> {
  const limits = createLimits();
  const running: Kind[] = [];
  const seen: Kind[][] = [];
  await Promise.all(
    kinds.map((kind) =>
      limits.run(kind, async () => {
        running.push(kind);
        seen.push([...running]);
        await new Promise(setImmediate);
        running.splice(running.indexOf(kind), 1);
      }),
    ),
  );
  return seen;
}

const asks = (kind: Kind): boolean => ['http', 'websocket', 'command', 'suite'].includes(kind);
const count = (kinds: readonly Kind[], kind: Kind): number => kinds.filter((each) => each === kind).length;

test('whatever is to run, all of it runs, a suite asks alone, and no more than four ask at a time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...checkKinds), { maxLength: 30 }), async (kinds) => {
      const seen = await together(kinds);
      expect(seen.length).toBe(kinds.length);
      for (const running of seen) {
        const asking = running.filter(asks);
        expect(asking.length).toBeLessThanOrEqual(running.includes('suite') ? 1 : 4);
        expect(count(running, 'command')).toBeLessThanOrEqual(2);
        expect(running.length - asking.length).toBeLessThanOrEqual(8);
      }
    }),
    { numRuns: 50 },
  );
});

test('what only reads waits for nobody who asks', async () => {
  const seen = await together(['suite', 'suite', 'logs', 'manual', 'startup']);
  expect(seen.at(3)).toEqual(['suite', 'logs', 'manual', 'startup']);
});
