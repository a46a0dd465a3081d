import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trafficEdit } from '../../src/plan/edits.ts';
import { readMarks } from '../../src/plan/marks.ts';
import { shareOut } from '../../src/plan/split.ts';
import { pinOf, pinText } from '../../src/plan/traffic.ts';
import { sampleLive } from './samples.ts';

const split = fc
  .array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 })
  .map((weights) => weights.map((percent, index) => ({ revision: `chat-${index}`, percent })));
const percent = fc.integer({ min: 1, max: 99 });

describe('a share for one, the rest in proportion', () => {
  test('whole percents that sum to 100, whatever the split', () => {
    fc.assert(
      fc.property(split, percent, (others, wanted) => {
        const shared = shareOut(others, { revision: 'chat-new', percent: wanted });
        expect(shared.reduce((sum, one) => sum + one.percent, 0)).toBe(100);
        expect(shared[0]).toEqual({ revision: 'chat-new', percent: wanted });
        expect(shared.every((one) => Number.isInteger(one.percent) && one.percent > 0)).toBe(true);
      }),
    );
  });

  test('nobody is more than one percent from their exact part', () => {
    fc.assert(
      fc.property(split, percent, (others, wanted) => {
        const whole = others.reduce((sum, one) => sum + one.percent, 0);
        const shared = shareOut(others, { revision: 'chat-new', percent: wanted });
        for (const other of others) {
          const exact = (other.percent * (100 - wanted)) / whole;
          const got = shared.find(({ revision }) => revision === other.revision)?.percent ?? 0;
          expect(Math.abs(got - exact)).toBeLessThan(1);
        }
      }),
    );
  });

  test.each([
    [[{ revision: 'a', percent: 100 }], 10, { new: 10, a: 90 }],
    [
      [
        { revision: 'a', percent: 60 },
        { revision: 'b', percent: 40 },
      ],
      50,
      { new: 50, a: 30, b: 20 },
    ],
    [
      [
        { revision: 'a', percent: 34 },
        { revision: 'b', percent: 33 },
        { revision: 'c', percent: 33 },
      ],
      99,
      { new: 99, a: 1 },
    ],
    [
      [
        { revision: 'a', percent: 60 },
        { revision: 'new', percent: 40 },
      ],
      10,
      { new: 10, a: 90 },
    ],
    [[{ revision: 'new', percent: 100 }], 10, { new: 100 }],
    [[], 10, { new: 100 }],
  ])('%j with %i %% for the new one: %j', (others, wanted, shared) => {
    const found = shareOut(others, { revision: 'new', percent: wanted });
    expect(Object.fromEntries(found.map((one) => [one.revision, one.percent]))).toEqual(shared);
  });
});

test("a step is marked as Sluice's own, so that an interrupted rollout is not taken for somebody else's pin", () => {
  fc.assert(
    fc.property(split, percent, (formerTraffic, wanted) => {
      const edit = trafficEdit(
        sampleLive([]),
        { formerTraffic, serviceWide: [] },
        { release: 'r', revision: 'chat-new', percent: wanted },
      );
      const annotations = Object.fromEntries(
        Object.entries(edit.annotations ?? {}).map(([key, value]) => [key, value ?? '']),
      );
      const weighted = edit.traffic.filter((one) => one.percent > 0);
      expect(pinOf(sampleLive(edit.traffic.toReversed()), readMarks(annotations)).kind).toBe('own');
      expect(pinText(weighted)).toBe(annotations['sluice.dev/pin']);
      const moved = weighted.map((one, index) => (index === 0 ? { ...one, revision: 'chat-other' } : one));
      expect(pinOf(sampleLive(moved), readMarks(annotations)).kind).toBe('foreign');
    }),
  );
});
