import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidateEdit, restoreEdit, trafficEdit } from '../../src/plan/edits.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { readMarks } from '../../src/plan/marks.ts';
import { onlyServing, pinOf, sameTraffic, shares } from '../../src/plan/traffic.ts';
import { sampleLive, sampleRevision, sampleTarget } from './samples.ts';

const name = fc.constantFrom('chat-1', 'chat-2', 'chat-3', 'LATEST');
const entry = fc.oneof(
  fc.record({ revision: name, percent: fc.integer({ min: 0, max: 100 }) }),
  fc.record({ revision: name, percent: fc.constant(0), tag: fc.constantFrom('blue', 'green', 'candidate') }),
);
const traffic = fc.uniqueArray(entry, { maxLength: 6, selector: (one) => ('tag' in one ? one.tag : one) });

describe('comparing traffic', () => {
  test('the order of entries does not matter', () => {
    fc.assert(
      fc.property(traffic, (entries) => {
        expect(sameTraffic(entries, [...entries].reverse(), 'chat-2')).toBe(true);
      }),
    );
  });

  test('a moved percent or tag is seen', () => {
    const now = [
      { revision: 'chat-1', percent: 100 },
      { revision: 'chat-2', percent: 0, tag: 'candidate' },
    ];
    expect(sameTraffic(now, [{ revision: 'chat-1', percent: 100 }], '')).toBe(false);
    expect(sameTraffic(now, [{ revision: 'chat-2', percent: 100 }], '')).toBe(false);
    expect(
      sameTraffic([{ revision: 'LATEST', percent: 100 }], [{ revision: 'chat-1', percent: 100 }], 'chat-1'),
    ).toBe(true);
  });

  test('percents of one revision add up', () => {
    expect(
      shares(
        [
          { revision: 'chat-1', percent: 40 },
          { revision: 'LATEST', percent: 60 },
        ],
        'chat-1',
      ),
    ).toEqual(new Map([['chat-1', 100]]));
    expect(
      onlyServing([
        { revision: 'chat-1', percent: 40 },
        { revision: 'chat-2', percent: 60 },
      ]),
    ).toBeUndefined();
  });
});

test.each([
  [[{ revision: 'LATEST', percent: 100 }], {}, 'latest'],
  [[{ revision: 'chat-1', percent: 100 }], { 'sluice.dev/pin': 'chat-1' }, 'own'],
  [[{ revision: 'chat-1', percent: 100 }], { 'sluice.dev/pin': 'chat-0' }, 'foreign'],
  [
    [
      { revision: 'chat-1', percent: 50 },
      { revision: 'LATEST', percent: 50 },
    ],
    {},
    'foreign',
  ],
  [[], {}, 'none'],
])('whose pin is %j with %j: %s', (entries, annotations, kind) => {
  expect(pinOf(sampleLive(entries), readMarks(annotations)).kind).toBe(kind);
});

describe('what is written', () => {
  const revisions = [sampleRevision('chat-1'), sampleRevision('chat-2'), sampleRevision('chat-3')];

  /** Sluice never writes LATEST after a service's creation, and a foreign tag never moves. */
  test('no edit ever carries LATEST, and every foreign tag is in every edit', () => {
    fc.assert(
      fc.property(traffic, (entries) => {
        const live = sampleLive(entries, { latestReadyRevision: 'chat-2' });
        const plan = makePlan({
          target: sampleTarget({ env: { LOG_LEVEL: 'debug' } }),
          live,
          revisions,
          source: 's',
          image: { from: 'build', reference: null },
          revisionSuffix: 'new',
          takeOverTraffic: true,
          command: 'sluice deploy staging',
        });
        const named = { ...plan, revision: plan.revision ?? 'chat-new' };
        const made = { release: 'r', image: 'i@sha256:1' };
        const tagged = entries.flatMap((one) => ('tag' in one && one.tag !== 'candidate' ? [one] : []));
        for (const edit of [
          candidateEdit(sampleTarget(), named, live, made),
          trafficEdit(live, named, { release: 'r', revision: 'chat-new', percent: 10 }),
          trafficEdit(live, named, { release: 'r', revision: 'chat-new', percent: 100 }),
          restoreEdit(live, named, { release: 'r', keepTag: true }),
        ]) {
          const weighted = (edit.traffic ?? []).filter((one) => one.percent > 0);
          expect(weighted.map((one) => one.revision)).not.toContain('LATEST');
          if (plan.first) continue;
          for (const one of tagged) expect(edit.traffic).toContainEqual(one);
        }
      }),
    );
  });
});
