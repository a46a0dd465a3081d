import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/checks/result.ts';
import { verdictSchema } from '../../src/gate/verdict.ts';
import { type Checklists, judgeChecks, judgeDeploy } from '../../src/gate/verdict-of.ts';
import type { DurableEvent } from '../../src/release/events.ts';
import { foldAll, type ReleaseState } from '../../src/release/state.ts';
import { profileWith } from '../checks/given.ts';

const checklists: Checklists = new Map([
  [
    'chat',
    [
      { id: 'health', stages: ['candidate', 'post'], required: true },
      { id: 'speed', stages: ['post'], required: false },
    ],
  ],
]);

const checked = (
  id: string,
  stage: CheckResult['stage'],
  status: CheckResult['status'],
  required = true,
): DurableEvent => ({
  type: 'check.finished',
  service: 'chat',
  result: { id, kind: 'http', stage, required, status, reason: 'as seen', durationMs: 3 },
});
function withResult(event: DurableEvent, more: Partial<CheckResult>): DurableEvent {
  return event.type === 'check.finished' ? { ...event, result: { ...event.result, ...more } } : event;
}
const plan = (action: 'create' | 'update' | 'none'): DurableEvent => ({
  type: 'plan.made',
  service: 'chat',
  plan: {
    version: 1,
    service: 'chat',
    environment: 'staging',
    place: { project: 'demo', region: 'europe-west1', service: 'chat' },
    action,
    first: action === 'create',
    because: 'chat-00001 serves this digest',
    changes: [],
    image: { from: 'build', reference: null, source: null },
    revision: action === 'none' ? null : 'chat-00002',
    tag: null,
    formerTraffic: [],
    etag: '',
    serviceWide: [],
    steps: [],
    notes: [],
    blockers: [],
  },
});
const traffic = (
  revision: string,
  settled = true,
  purpose: 'migrate' | 'restore' = 'migrate',
): DurableEvent => ({
  type: 'traffic.observed',
  service: 'chat',
  purpose,
  actual: [
    { revision, percent: 100 },
    { revision: 'chat-00000', percent: 0, tag: 'old' },
  ],
  settled,
  etag: '7',
});
const started: DurableEvent = {
  type: 'startup.finished',
  service: 'chat',
  profile: profileWith(),
  decidedBy: 'all reported',
};
const proven = (revision: string): DurableEvent => ({
  type: 'answer.proven',
  service: 'chat',
  revision,
  url: 'http://chat',
  answers: 5,
  by: 'response-field',
});
const good: DurableEvent[] = [
  plan('update'),
  started,
  checked('health', 'candidate', 'passed'),
  traffic('chat-00002'),
  proven('chat-00002'),
  checked('health', 'post', 'passed'),
];

function stateOf(events: DurableEvent[], services = ['chat'], command?: string): ReleaseState {
  const begun: DurableEvent = {
    type: 'release.started',
    runbook: 'deploy',
    ...(command === undefined ? {} : { command }),
    environment: 'staging',
    cloud: 'local',
    services,
    who: 'ada',
    commit: null,
    dirty: false,
    sluice: '0.1.0',
  };
  const stamp = { v: 1, release: 'r', at: '2026-11-22T02:31:06Z' } as const;
  return foldAll(
    'r',
    [begun, ...events].map((event, seq) => ({ ...stamp, seq, event })),
  );
}

const verdictOf = (events: DurableEvent[]) => judgeDeploy(stateOf(events), checklists);
const openIn = (events: DurableEvent[]) =>
  verdictOf(events).conditions.flatMap(({ met, id, reason }) => (met ? [] : [`${id}: ${reason}`]));

describe('a remedy', () => {
  const remediesOf = (command?: string) =>
    judgeDeploy(
      stateOf([...good.slice(0, 2), checked('health', 'candidate', 'failed')], ['chat'], command),
      checklists,
    ).conditions.flatMap(({ remedy }) => remedy ?? []);

  test.each([
    ['sluice deploy staging --local --dir app', 'staging --local --dir app'],
    ['sluice promote staging production --local', 'production --local'],
    ['sluice rollback staging --config other.yaml', 'staging --config other.yaml'],
    [undefined, 'staging'],
  ])('is typed as the release was: %s', (command, place) => {
    const again = command ?? 'sluice deploy staging';
    const [logs, status] = ['logs', 'status'].map((verb) => `sluice ${verb} ${place}`);
    expect(remediesOf(command)).toEqual([logs, again, status, status]);
  });
});

describe('a deploy', () => {
  test('with all the evidence is ready', () => {
    const verdict = verdictSchema.parse(verdictOf(good));
    expect(verdict.decision).toBe('ready');
    expect(verdict.conditions.map(({ id }) => id)).toEqual([
      'chat.started',
      'chat.check.candidate.health',
      'chat.check.post.health',
      'chat.traffic',
      'chat.answers',
    ]);
  });

  test.each<[string, DurableEvent[], string]>([
    ['not followed', good.filter((event) => event !== started), 'chat.started: its startup was not followed'],
    [
      'a startup unknown',
      [...good, { ...started, profile: profileWith({ outcome: 'unknown' }) } as DurableEvent],
      'chat.started: its startup is unknown',
    ],
    ['a check not reported', good.slice(0, -1), 'chat.check.post.health: it was not reported'],
    [
      'a check failed',
      [...good, checked('health', 'post', 'failed')],
      'chat.check.post.health: failed: as seen',
    ],
    [
      'a check skipped',
      [...good, checked('health', 'post', 'skipped')],
      'chat.check.post.health: skipped: as seen',
    ],
    [
      'inconclusive',
      [...good, checked('health', 'post', 'inconclusive')],
      'chat.check.post.health: inconclusive: as seen',
    ],
    [
      'an unlisted required check',
      [...good, checked('extra', 'post', 'failed')],
      'chat.check.post.extra: failed: as seen',
    ],
    [
      'not settled',
      [...good, traffic('chat-00002', false)],
      'chat.traffic: actual traffic is not what was asked for: chat-00002 100 %',
    ],
    [
      'restored',
      [...good, traffic('chat-00001', true, 'restore')],
      'chat.traffic: chat-00002 serves 0 %: chat-00001 100 %',
    ],
    ['another answers', [...good, proven('chat-00001')], 'chat.answers: chat-00001 answers, not chat-00002'],
    [
      'nobody proven',
      good.filter(({ type }) => type !== 'answer.proven'),
      'chat.answers: nobody has proven which revision answers',
    ],
    [
      'never observed',
      good.filter(({ type }) => type !== 'traffic.observed'),
      'chat.traffic: actual traffic was not observed',
    ],
  ])('is blocked by one thing: %s', (_, events, open) => {
    expect(verdictOf(events).decision).toBe('blocked');
    expect(openIn(events)).toEqual([open]);
  });

  test('is pending while only a person is waited for', () => {
    const waiting = [...good, checked('sign-off', 'post', 'pending')];
    expect(verdictOf(waiting).decision).toBe('pending');
    expect(verdictOf([...waiting, checked('health', 'post', 'failed')]).decision).toBe('blocked');
  });

  test('is not blocked by an optional check', () => {
    expect(verdictOf([...good, checked('speed', 'post', 'failed', false)]).decision).toBe('ready');
  });

  test('is ready with a known failure, and its condition says so', () => {
    const known = { until: '2027-01-31', reason: 'Ben mends it' };
    const failed = withResult(checked('health', 'post', 'failed'), { expectedToFail: known });
    const verdict = verdictOf([...good.slice(0, -1), failed]);
    expect(verdict.decision).toBe('ready');
    expect(verdict.conditions.find(({ id }) => id === 'chat.check.post.health')).toEqual({
      id: 'chat.check.post.health',
      met: true,
      reason: 'failed, known until 2027-01-31 (Ben mends it): as seen',
    });
    expect(verdictOf([...good, failed, checked('health', 'post', 'failed')]).decision).toBe('blocked');
  });

  test('tells of what waits how a person decides it', () => {
    const waiting = withResult(checked('french', 'post', 'pending'), { next: 'sluice sign staging french' });
    expect(verdictOf([...good, waiting]).conditions.at(-3)).toEqual({
      id: 'chat.check.post.french',
      met: false,
      pending: true,
      reason: 'pending: as seen',
      remedy: 'sluice sign staging french',
    });
  });

  test('without a change takes what people say into account', () => {
    expect(verdictOf([plan('none'), checked('french', 'post', 'passed')]).decision).toBe('ready');
    expect(verdictOf([plan('none'), checked('french', 'post', 'pending')]).decision).toBe('pending');
    expect(verdictOf([plan('none'), checked('french', 'post', 'failed')]).decision).toBe('blocked');
  });

  test('without a change needs no more evidence', () => {
    expect(verdictOf([plan('none')])).toEqual({
      decision: 'ready',
      conditions: [{ id: 'chat.unchanged', met: true, reason: 'chat-00001 serves this digest' }],
    });
  });

  test('without evidence is blocked, and so is one that did not reach a service', () => {
    expect(judgeDeploy(stateOf([], []), new Map()).decision).toBe('blocked');
    const two: Checklists = new Map([...checklists, ['worker', []]]);
    const verdict = judgeDeploy(stateOf(good), two);
    expect(verdict.decision).toBe('blocked');
    expect(verdict.conditions.at(-1)).toMatchObject({ id: 'worker.release', met: false });
  });
});

describe('a run of the checklist', () => {
  const found: DurableEvent = {
    type: 'service.observed',
    service: 'chat',
    url: 'http://chat',
    serving: 'chat-00002',
    image: 'app@sha256:aa',
    traffic: [{ revision: 'chat-00002', percent: 100 }],
    etag: '7',
  };
  const asked: Checklists = new Map([['chat', [{ id: 'health', stages: ['post'], required: true }]]]);
  const judged = (...events: DurableEvent[]) => judgeChecks(stateOf(events), asked);
  const passed = checked('health', 'post', 'passed');

  test('is ready when the revision that serves has answered and passed what was asked of it', () => {
    expect(judged(found, proven('chat-00002'), passed)).toMatchObject({
      decision: 'ready',
      conditions: [{ id: 'chat.answers' }, { id: 'chat.check.post.health' }],
    });
  });

  test.each<[string, DurableEvent[], string]>([
    ['nobody was found', [], 'blocked'],
    ['another one answers', [found, proven('chat-00001'), passed], 'blocked'],
    ['nobody has proven who answers', [found, passed], 'blocked'],
    ['a check was not reported', [found, proven('chat-00002')], 'blocked'],
    [
      'it was run in another stage',
      [found, proven('chat-00002'), checked('health', 'candidate', 'passed')],
      'blocked',
    ],
    ['a check failed', [found, proven('chat-00002'), checked('health', 'post', 'failed')], 'blocked'],
    [
      'a person is waited for',
      [found, proven('chat-00002'), passed, checked('french', 'post', 'pending')],
      'pending',
    ],
    [
      'an advisory one failed',
      [found, proven('chat-00002'), passed, checked('tea', 'post', 'failed', false)],
      'ready',
    ],
  ])('%s', (_, events, decision) => {
    expect(judged(...events).decision).toBe(decision);
  });

  test('that ended badly for another reason is not ready', () => {
    const moved: DurableEvent = {
      type: 'service.finished',
      service: 'chat',
      outcome: 'failed',
      reason: 'conflict',
      rolledBack: false,
      diagnosis: { cause: 'the traffic was moved', why: '', hint: '', evidence: [], notDone: [], next: [] },
    };
    expect(judged(found, proven('chat-00002'), passed, moved).decision).toBe('blocked');
  });
});

const anyCheck = fc
  .tuple(
    fc.constantFrom('health', 'speed', 'other'),
    fc.constantFrom('candidate', 'post'),
    fc.constantFrom('passed', 'failed', 'skipped', 'inconclusive', 'pending'),
    fc.boolean(),
  )
  .map(([id, stage, status, required]) => checked(id, stage, status, required));
const anyEvent = fc.oneof(anyCheck, fc.constantFrom(...good, traffic('chat-00001'), proven('chat-00001')));

test('whatever came before and after, a required check that did not pass is never ready', () => {
  const bad = anyCheck.filter(
    (event) => event.type === 'check.finished' && event.result.required && event.result.status !== 'passed',
  );
  fc.assert(
    fc.property(fc.array(anyEvent), bad, fc.array(anyEvent), (before, failure, after) => {
      expect(verdictOf([...before, ...good, failure, ...after, ...good]).decision).not.toBe('ready');
    }),
  );
});

test('a verdict is ready exactly when all its conditions are met, and it never has none', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), (events) => {
      const { decision, conditions } = verdictOf(events);
      expect(conditions.length).toBeGreaterThan(0);
      expect(decision === 'ready').toBe(conditions.every(({ met }) => met));
    }),
  );
});
