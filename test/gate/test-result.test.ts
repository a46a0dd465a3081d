import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CheckResult } from '../../src/checks/result.ts';
import { checkKinds } from '../../src/checks/result-schema.ts';
import { testResultOf, testResultSchema } from '../../src/gate/test-result.ts';
import { judgeDeploy } from '../../src/gate/verdict-of.ts';
import type { DurableEvent } from '../../src/release/events.ts';
import { foldAll, type ReleaseState } from '../../src/release/state.ts';
import { profileWith } from '../checks/given.ts';

const sha256 = 'a'.repeat(64);
const image = `repo/chat@sha256:${sha256}`;
const service = 'chat';
const built = { outcome: 'given' as const, digest: `sha256:${sha256}`, seconds: 0, detail: '', tail: [] };

const plan = (action: 'update' | 'none'): DurableEvent => ({
  ...{ type: 'plan.made', service },
  plan: {
    ...{ version: 1, service, environment: 'staging', place: { project: 'p', region: 'r', service } },
    ...{
      action,
      first: false,
      because: '',
      changes: [],
      serviceWide: [],
      steps: [],
      notes: [],
      blockers: [],
    },
    image: { from: 'given', reference: image, source: null },
    ...{ revision: action === 'none' ? null : 'chat-r2', tag: null, formerTraffic: [], etag: '' },
  },
});
const checked = (result: Partial<CheckResult>): DurableEvent => ({
  ...{ type: 'check.finished', service },
  result: {
    ...{
      id: 'health',
      kind: 'http',
      stage: 'post',
      required: true,
      status: 'passed',
      reason: '',
      durationMs: 1,
    },
    ...result,
  },
});
const good: DurableEvent[] = [
  plan('update'),
  { type: 'build.finished', service, image, ...built },
  { type: 'startup.finished', service, profile: profileWith(), decidedBy: 'reported' },
  {
    ...{ type: 'traffic.observed', service, purpose: 'migrate', settled: true, etag: '' },
    actual: [{ revision: 'chat-r2', percent: 100 }],
  },
  { type: 'answer.proven', service, revision: 'chat-r2', url: '', answers: 5, by: 'response-field' },
];

/** A release with these events, judged as a deploy. */
function released(events: readonly DurableEvent[]): ReleaseState {
  const fold = (all: readonly DurableEvent[]) =>
    foldAll(
      'r1',
      all.map((event, seq) => ({ v: 1, release: 'r1', seq, at: '2026-11-27T08:00:00.000Z', event })),
    );
  const verdict = judgeDeploy(fold(events), new Map([[service, []]]));
  const end: DurableEvent = {
    ...{ type: 'release.finished', outcome: 'succeeded', exitCode: 0, rolledBack: false, verdict },
  };
  return fold([...events, end]);
}

const of = (...more: DurableEvent[]) => testResultOf(released([...good, ...more]), service, 'gs://b/r1');

test('passes when everything did', () => {
  expect(testResultSchema.parse(of(checked({})))).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'repo/chat', digest: { sha256 } }],
    predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
    predicate: {
      result: 'PASSED',
      configuration: [
        {
          name: 'check.post.health',
          mediaType: 'application/json',
          content: Buffer.from('{"id":"health","kind":"http","stage":"post","required":true}').toString(
            'base64',
          ),
        },
      ],
      url: 'gs://b/r1',
      passedTests: ['started', 'check.post.health', 'traffic', 'answers'],
      warnedTests: [],
      failedTests: [],
    },
  });
});

test.each<[string, Partial<CheckResult>, string]>([
  ['a failure', { status: 'failed' }, 'FAILED'],
  ['a check that could not tell', { status: 'inconclusive' }, 'FAILED'],
  ['a person who is waited for', { status: 'pending' }, 'FAILED'],
  ['an advisory failure', { status: 'failed', required: false }, 'WARNED'],
])('%s is no pass', (_, result, expected) => {
  expect(of(checked(result))?.predicate.result).toBe(expected);
});

test('says nothing of an image that it did not judge', () => {
  expect(testResultOf(released([]), service, '')).toBeNull();
  const serves: DurableEvent = {
    ...{ type: 'service.observed', service, url: '', serving: 'chat-r1', image, traffic: [], etag: '' },
  };
  expect(testResultOf(released([serves, plan('none')]), service, '')).toBeNull();
  // A deploy that failed before it had an image: what serves is not what failed.
  expect(testResultOf(released([serves, plan('update')]), service, '')).toBeNull();
});

const anyCheck = fc
  .record({
    id: fc.constantFrom('a', 'b', 'a.b', 'ü'),
    kind: fc.constantFrom(...checkKinds),
    stage: fc.constantFrom('predeploy' as const, 'candidate' as const, 'post' as const),
    required: fc.boolean(),
    status: fc.constantFrom('passed', 'failed', 'skipped', 'inconclusive', 'pending' as const),
  })
  .map(checked);
const anyEvents = fc.array(fc.oneof(anyCheck, fc.constantFrom(...good)), { maxLength: 20 });

test('whatever happened, it is a statement, each test stands in it once, and only readiness is no failure', () => {
  fc.assert(
    fc.property(anyEvents, (events) => {
      const state = released([...good.slice(0, 2), ...events]);
      const { predicate } = testResultSchema.parse(testResultOf(state, service, 'file:///r1'));
      const { passedTests, warnedTests, failedTests } = predicate;
      const all = [...passedTests, ...warnedTests, ...failedTests];
      expect(new Set(all).size).toBe(all.length);
      expect(predicate.result !== 'FAILED').toBe(state.finished?.verdict.decision === 'ready');
      const conditions = state.finished?.verdict.conditions ?? [];
      for (const { id } of conditions) expect(all).toContain(id.slice('chat.'.length));
    }),
  );
});
