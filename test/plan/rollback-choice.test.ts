import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LiveRevision } from '../../src/cloud/ports/index.ts';
import { chooseTarget, targetsFor } from '../../src/plan/rollback-choice.ts';
import { type PastRelease, servedInTurn } from '../../src/plan/served.ts';
import { sampleLive, sampleRevision } from './samples.ts';

/** `deploy b` on what served: a release that gave b all the traffic. */
type Step = { runbook?: PastRelease['runbook']; to: string; on?: string; passed?: boolean | null };

function past(...steps: Step[]): PastRelease[] {
  let serving = '';
  return steps.map(({ runbook = 'deploy', to, on = serving, passed = true }, index) => {
    serving = to;
    return {
      ...{ release: `2026010${index + 1}T000000-staging-aaaa`, at: `2026-01-0${index + 1}T00:00:00Z` },
      ...{ runbook, revision: to, passed, schema: null },
      former: on === '' ? [] : [{ revision: on, percent: 100 }],
    };
  });
}

const back = (to: string): Step => ({ runbook: 'rollback', to });
const all = ['d', 'c', 'b', 'a'].map((name) => sampleRevision(name));
const serves = (name: string) => sampleLive([{ revision: name, percent: 100 }]);
const command = 'sluice rollback staging';

function choose(releases: PastRelease[], now: string, to?: string, revisions: LiveRevision[] = all) {
  return chooseTarget({ live: serves(now), revisions, past: releases, to, command });
}

describe('the default is the last revision before the current one that served with a passed verdict', () => {
  test.each<[string, Step[], string]>([
    ['the one before', [{ to: 'a' }, { to: 'b' }, { to: 'c' }], 'b'],
    ['past one that did not pass', [{ to: 'a' }, { to: 'b', passed: false }, { to: 'c' }], 'a'],
    ['not to what was rolled back', [{ to: 'a' }, { to: 'b' }, { to: 'c' }, back('b')], 'a'],
    ['after a rollback and a new deploy', [{ to: 'a' }, { to: 'b' }, back('a'), { to: 'c' }], 'a'],
    [
      'to one that passed before a rollback with --now',
      [{ to: 'a' }, { to: 'b' }, { ...back('a'), passed: null }, { to: 'c' }],
      'a',
    ],
    ['to what somebody put back and was taken over', [{ to: 'a' }, { to: 'b' }, { to: 'c', on: 'a' }], 'a'],
  ])('%s', (_, steps, target) => {
    const current = steps.at(-1)?.to ?? '';
    expect(choose(past(...steps), current)).toMatchObject({ kind: 'chosen', target: { revision: target } });
  });

  test.each<[string, Step[], string, RegExp]>([
    ['no record at all', [], 'a', /No record here/],
    ['only the current one', [{ to: 'a' }], 'a', /No revision before a/],
    [
      'somebody else deployed since',
      [{ to: 'a' }, { to: 'b' }],
      'c',
      /c serves, but the newest record here is of b/,
    ],
    [
      'another machine deployed between',
      [{ to: 'a' }, { to: 'c', on: 'b' }],
      'c',
      /Before c served b, whose verdict no record here tells/,
    ],
    [
      'the one before was never checked',
      [{ to: 'a' }, { to: 'b', passed: null }, { to: 'c' }],
      'c',
      /Before c served b/,
    ],
    ['the service was made anew', [{ to: 'a' }, { to: 'b', on: '' }], 'b', /No revision before b/],
  ])('refused: %s', (_, steps, current, why) => {
    const choice = choose(past(...steps), current);
    expect(choice).toMatchObject({ kind: 'refused', problem: { why: expect.stringMatching(why) } });
    if (choice.kind !== 'refused') return;
    const others = ['a', 'b', 'c', 'd'].filter((name) => name !== current);
    for (const name of others)
      expect(choice.problem.next?.join('\n')).toContain(`${command} --to ${name}   # `);
    expect(choice.problem.next?.join('\n')).not.toContain(`--to ${current} `);
  });

  test('refused: the traffic is split, or was before', () => {
    const half = [
      { revision: 'a', percent: 50 },
      { revision: 'b', percent: 50 },
    ];
    const records = past({ to: 'a' }, { to: 'b' });
    expect(
      chooseTarget({ live: sampleLive(half), revisions: all, past: records, to: undefined, command }),
    ).toMatchObject({
      kind: 'refused',
      problem: { why: 'No single revision serves: a 50 %, b 50 %.' },
    });
    const [a, b, c] = past({ to: 'a' }, { to: 'b' }, { to: 'c' });
    if (!a || !b || !c) throw new Error('three records');
    expect(choose([a, b, { ...c, former: half }], 'c')).toMatchObject({
      kind: 'refused',
      problem: { why: 'Which one revision served before c no record here tells.' },
    });
  });

  test('a candidate line tells release, time and verdict, and that it was rolled back', () => {
    const choice = choose(past({ to: 'a' }, { to: 'b' }, back('a')), 'a');
    expect(choice).toMatchObject({
      problem: {
        next: expect.arrayContaining([
          `${command} --to b   # release 20260102T000000-staging-aaaa, served from 2026-01-02T00:00:00Z, passed, rolled back since`,
        ]),
      },
    });
  });

  test('records that begin later never give another choice', () => {
    // A deploy makes a revision of its own; a rollback goes to one that exists, and leaves out checks at most.
    const deploys = fc.record({ passed: fc.constantFrom(true, false) });
    const rollsBack = fc.record({ to: fc.nat(9), passed: fc.constantFrom(true, null) });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(deploys, rollsBack), { minLength: 1, maxLength: 9 }),
        fc.nat(8),
        (made, from) => {
          const steps = made.map(
            (one, index): Step =>
              'to' in one
                ? { runbook: 'rollback', to: `r${one.to % (index + 1)}`, passed: one.passed }
                : { to: `r${index}`, passed: one.passed },
          );
          const records = past(...steps);
          const current = steps.at(-1)?.to ?? '';
          const late = choose(records.slice(from), current);
          if (late.kind === 'refused') return;
          const { revision } = late.target;
          expect(choose(records, current)).toMatchObject({ kind: 'chosen', target: { revision } });
        },
      ),
      { numRuns: 500 },
    );
  });

  /** Whatever people did: the choice has passed once, is not what serves, and was not rolled back last. */
  test('of any history', () => {
    const step = fc.record({
      runbook: fc.constantFrom<PastRelease['runbook']>('deploy', 'promote', 'rollback'),
      to: fc.constantFrom('a', 'b', 'c', 'd'),
      on: fc.option(fc.constantFrom('a', 'b', 'c', 'd', ''), { nil: undefined }),
      passed: fc.constantFrom(true, false, null),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 9 }), fc.constantFrom('a', 'b', 'c', 'd'), (steps, current) => {
        const records = past(...steps.map(({ on, ...rest }) => (on === undefined ? rest : { ...rest, on })));
        const choice = choose(records, current);
        if (choice.kind === 'refused') return;
        const { revision } = choice.target;
        expect(revision).not.toBe(current);
        expect(records.some((one) => one.revision === revision && one.passed)).toBe(true);
        expect(records.at(-1)?.revision).toBe(current);
        const turn = servedInTurn(records);
        expect(new Set(turn.map((served) => served.revision)).size).toBe(turn.length);
        // Two releases of one second may be told in any order.
        expect(servedInTurn(records.toReversed())).toEqual(turn);
      }),
      { numRuns: 500 },
    );
  });
});

describe('--to', () => {
  const records = past({ to: 'a' }, { to: 'b', passed: false }, { to: 'c' });

  test.each([
    ['a revision', 'a', 'a', true],
    ['a revision that did not pass', 'b', 'b', false],
    ['a revision that no record knows', 'd', 'd', null],
    ['a release', '20260101T000000-staging-aaaa', 'a', true],
  ])('%s', (_, to, revision, passed) => {
    expect(choose(records, 'c', to)).toMatchObject({ kind: 'chosen', target: { revision, passed } });
  });

  test('what is neither is refused with what there is', () => {
    expect(choose(records, 'c', 'zzz')).toMatchObject({
      kind: 'refused',
      problem: { why: expect.stringContaining('zzz is neither a revision of this service nor a release') },
    });
  });

  const targets = ['chat', 'chat-api'].map((service) => ({ key: service, ref: { service } }));
  test.each([
    [undefined, ['chat', 'chat-api']],
    ['20260101T000000-staging-aaaa', ['chat', 'chat-api']],
    ['chat-r1', ['chat']],
    ['chat-api-r1', ['chat-api']],
  ])('%s is about %j', (to, keys) => {
    expect(targetsFor(targets, to).map(({ key }) => key)).toEqual(keys);
  });

  test("a name of no service's is refused", () => {
    expect(() => targetsFor(targets, 'web-r1')).toThrow(/none of the services/);
  });
});
