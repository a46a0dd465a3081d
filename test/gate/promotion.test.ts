import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PersonsAnswer } from '../../src/checks/context.ts';
import type { CheckResult } from '../../src/checks/result.ts';
import type { GateSpec } from '../../src/config/gate-spec.ts';
import { evidenceOf } from '../../src/gate/evidence.ts';
import { judgePromotion, type PromotionFacts, type ServiceFacts } from '../../src/gate/promotion.ts';
import type { Ancestry, Resource } from '../../src/gate/target-conditions.ts';
import type { DurableEvent, Stamped } from '../../src/release/events.ts';
import { foldAll } from '../../src/release/state.ts';
import { profileWith } from '../checks/given.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const image = `repo/chat@${digest}`;
const [r1, r2] = ['chat-r1', 'chat-r2'];
const minute = (n: number) => `2026-11-27T08:${String(n).padStart(2, '0')}:00.000Z`;

type Told = [minute: number, event: DurableEvent];
const service = 'chat';

const startedAt = (at: number, runbook: 'deploy' | 'check' = 'deploy'): Told => [
  at,
  {
    ...{ type: 'release.started', runbook, environment: 'staging', cloud: 'local', services: [service] },
    ...{ who: 'ada@x.org', commit: 'c0ffee1', dirty: false, sluice: '0' },
  },
];
const made: Told = [
  2,
  {
    ...{ type: 'candidate.intended', service, revision: r2, image, etag: '', tag: null, create: false },
    formerTraffic: [],
  },
];
const startup: Told = [
  3,
  { type: 'startup.finished', service, profile: profileWith(), decidedBy: 'all reported' },
];
const observed = (at: number, revision: string): Told => [
  at,
  {
    ...{ type: 'service.observed', service, url: '', serving: revision, image: '', etag: '' },
    traffic: [{ revision, percent: 100 }],
  },
];
const traffic = (at: number, revision: string): Told => [
  at,
  {
    ...{ type: 'traffic.observed', service, purpose: 'migrate', settled: true, etag: '' },
    actual: [{ revision, percent: 100 }],
  },
];
const proven = (at: number, revision: string): Told => [
  at,
  { type: 'answer.proven', service, revision, url: '', answers: 5, by: 'response-field' },
];
const checked = (
  at: number,
  stage: CheckResult['stage'],
  status: CheckResult['status'] = 'passed',
  more: Partial<CheckResult> = {},
  revision = r2,
): Told => [
  at,
  {
    ...{ type: 'check.finished', service, revision },
    result: {
      id: 'health',
      kind: 'http',
      stage,
      required: true,
      status,
      reason: 'as seen',
      durationMs: 1,
      ...more,
    },
  },
];

const deployed: Told[] = [
  startedAt(1),
  observed(1, r1),
  made,
  startup,
  checked(4, 'candidate'),
  traffic(5, r2),
  proven(6, r2),
  checked(7, 'post'),
];

/** Releases as the ledger has them: a list of what was told in each. */
function evidence(releases: Told[][], whole = true) {
  const states = releases.map((told, index) => {
    const id = `r${index}`;
    const events = told.map(
      ([at, event], seq): Stamped => ({ v: 1, release: id, seq, at: minute(at), event }),
    );
    return { state: foldAll(id, events), whole };
  });
  return evidenceOf({ environment: 'staging', service, revision: r2, digest }, states);
}

const gate: GateSpec = { maxEvidenceAgeSeconds: 3600, approvals: 0, selfApproval: false, freeze: [] };

function factsOf(patch: Partial<ServiceFacts> = {}, more: Partial<PromotionFacts> = {}): PromotionFacts {
  return {
    ...{ from: 'staging', to: 'production', gate, now: new Date(minute(20)) },
    asked: { override: null, allowOlder: false, who: 'eve@x.org' },
    type: (words) => `sluice ${words} --local`,
    services: [
      {
        service,
        source: { revision: r2, traffic: `${r2} 100 %`, settled: true, image },
        evidence: evidence([deployed]),
        checklist: [{ id: 'health', kind: 'http', stages: ['candidate', 'post'], required: true }],
        ...{ signatures: [], approvals: [], ancestry: { kind: 'nothing-runs' } },
        leaks: { e2e: [], source: [] },
        ...{ resources: [], place: { project: 'p', region: 'r' }, plan: null },
        ...patch,
      },
    ],
    ...more,
  };
}

const judge = (patch: Partial<ServiceFacts> = {}, more: Partial<PromotionFacts> = {}) =>
  judgePromotion(factsOf(patch, more));

/** What is open, as `id: reason → remedy`. */
const openIn = ({ verdict }: ReturnType<typeof judge>) =>
  verdict.conditions.flatMap(({ id, met, reason, remedy }) =>
    met ? [] : [`${id}: ${reason}${remedy ? ` → ${remedy}` : ''}`],
  );

const deploy = 'sluice deploy staging --local';
const check = 'sluice check staging --only health --local';

describe('the gate', () => {
  test('is ready on full evidence, and says so of each thing', () => {
    const { verdict } = judge();
    expect(verdict.decision).toBe('ready');
    expect(verdict.conditions.map(({ id }) => id)).toEqual([
      'freeze',
      'chat.serves',
      'chat.evidence',
      'chat.digest',
      'chat.started',
      'chat.answers',
      'chat.check.candidate.health',
      'chat.check.post.health',
      'chat.approvals',
      'chat.commit',
      'chat.e2e',
      'chat.apart',
      'chat.secret',
      'chat.service-account',
      'chat.cloud-sql-instance',
    ]);
  });

  const split = { revision: null, traffic: 'chat-r1 50 %, chat-r2 50 %', settled: true, image: '' };
  test.each<[string, Partial<ServiceFacts>, string[]]>([
    [
      'a split',
      { source: split, evidence: null },
      [
        'chat.serves: not one revision serves it all in staging: chat-r1 50 %, chat-r2 50 % → sluice status staging --local',
      ],
    ],
    [
      'nothing deployed',
      { source: { ...split, traffic: '' }, evidence: null },
      [`chat.serves: nothing serves in staging → ${deploy}`],
    ],
    [
      'a revision without a record',
      { evidence: evidence([]) },
      [
        `chat.evidence: no record tells how chat-r2 was made → ${deploy}`,
        'chat.started: its startup was not followed → sluice startup staging --local',
        `chat.answers: no record shows that it was given the traffic → ${deploy}`,
        `chat.check.candidate.health: it was not reported → ${deploy}`,
        `chat.check.post.health: it was not reported → ${check}`,
      ],
    ],
    [
      'a damaged record',
      { evidence: evidence([deployed], false) },
      [`chat.evidence: the record of r0 is damaged, so what it shows is not trusted → ${deploy}`],
    ],
    [
      'another image than was checked',
      {
        evidence: evidence([
          [
            ...deployed.filter((told) => told !== made),
            [2, { ...made[1], image: 'repo/chat@sha256:bb' } as DurableEvent],
          ],
        ]),
      },
      [`chat.digest: ${digest.slice(0, 19)} serves, sha256:bb was checked → ${deploy}`],
    ],
    [
      'a check that failed since',
      { evidence: evidence([deployed, [startedAt(8, 'check'), checked(9, 'post', 'failed')]]) },
      [`chat.check.post.health: failed: as seen → ${check}`],
    ],
    [
      'traffic that changed since',
      {
        evidence: evidence([
          deployed,
          [startedAt(8), observed(8, r2), traffic(9, 'chat-r3'), traffic(10, r2), proven(11, r2)],
        ]),
      },
      [`chat.check.post.health: it passed before the traffic last changed → ${check}`],
    ],
    [
      'evidence for another revision',
      {
        evidence: evidence([
          deployed.filter(([, { type }]) => type !== 'check.finished'),
          [
            startedAt(8, 'check'),
            checked(9, 'candidate', 'passed', {}, r1),
            checked(9, 'post', 'passed', {}, r1),
          ],
        ]),
      },
      [
        `chat.check.candidate.health: it was not reported → ${deploy}`,
        `chat.check.post.health: it was not reported → ${check}`,
      ],
    ],
    [
      'a newer commit there',
      { ancestry: { kind: 'older', source: 'aaaaaaa', target: 'bbbbbbb' } },
      [
        'chat.commit: production runs a newer commit, bbbbbbb after aaaaaaa → sluice promote staging production --allow-older --local',
      ],
    ],
    [
      'commits that git cannot compare',
      { ancestry: { kind: 'untold', why: 'it does not have both commits here' } },
      [
        'chat.commit: git cannot tell which commit is newer: it does not have both commits here → sluice promote staging production --allow-older --local',
      ],
    ],
    [
      'a variable for tests',
      { leaks: { e2e: ['the variable E2E opens it to tests'], source: [] } },
      [
        'chat.e2e: the variable E2E opens it to tests → mend sluice.yaml, then sluice promote staging production --local',
      ],
    ],
    [
      'a secret that does not exist',
      {
        resources: [
          { kind: 'secret', name: 'api-key:3', answer: { state: 'missing', why: '' } },
          { kind: 'secret', name: 'db:latest', answer: { state: 'exists' } },
        ],
      },
      [
        'chat.secret: api-key:3 does not exist → gcloud secrets create api-key --project p, then add its version',
      ],
    ],
    [
      'an account that nobody could ask for',
      {
        resources: [
          { kind: 'service account', name: 'run@p', answer: { state: 'unknown', why: 'no permission' } },
        ],
      },
      [
        'chat.service-account: run@p could not be asked for (no permission) → sluice promote staging production --local',
      ],
    ],
  ])('is blocked by %s', (_, patch, open) => {
    const judged = judge(patch);
    expect(openIn(judged)).toEqual(open);
    expect(judged.verdict.decision).toBe('blocked');
  });

  test('holds old evidence to its age, and a candidate to nothing but its start', () => {
    const later = judge({}, { now: new Date('2026-11-27T10:00:00Z') });
    expect(openIn(later)).toEqual([
      `chat.check.post.health: it passed 113 min ago, more than 60 min → ${check}`,
    ]);
    const renewed = evidence([deployed, [startedAt(50, 'check'), checked(59, 'post')]]);
    expect(judge({ evidence: renewed }, { now: new Date('2026-11-27T09:30:00Z') }).verdict.decision).toBe(
      'ready',
    );
  });

  test('does not take what is dated in the future', () => {
    const jumped = evidence([[...deployed.slice(0, -1), checked(59, 'post')]]);
    expect(openIn(judge({ evidence: jumped }))).toEqual([
      `chat.check.post.health: it is dated ${minute(59)}, which is yet to come → ${check}`,
    ]);
  });

  test('a candidate that failed without getting traffic voids nothing', () => {
    const failed = [startedAt(8), observed(8, r2), traffic(9, r2), proven(9, r2)];
    expect(judge({ evidence: evidence([deployed, failed]) }).verdict.decision).toBe('ready');
  });

  test('a known failure stops nothing to the end of its day', () => {
    const known = (until: string) => ({ expectedToFail: { until, reason: 'issue 7' } });
    const until = (day: string) =>
      judge({ evidence: evidence([[...deployed.slice(0, -1), checked(7, 'post', 'failed', known(day))]]) });
    expect(until('2026-11-27').verdict.decision).toBe('ready');
    expect(until('2026-11-26').verdict.decision).toBe('blocked');
  });

  test('waits for people', () => {
    const wanted = { ...gate, approvals: 1 };
    const judged = judge({ checklist: [manual] }, { gate: wanted });
    expect(judged.verdict.decision).toBe('pending');
    expect(openIn(judged)).toEqual([
      'chat.signed.looks: Does it look right? nobody has answered for chat-r2 → sluice sign staging looks --note "…" --local',
      'chat.approvals: r0 has 0 of 1 approvals → sluice approve r0 --local',
    ]);
  });

  test('only opens from the environment that it names', () => {
    const judged = judge({}, { gate: { ...gate, from: 'preview' } });
    expect(openIn(judged)).toEqual([
      'source: production is promoted from preview only → sluice promote preview production --local',
    ]);
  });

  test('without a service is blocked', () => {
    expect(judge({}, { services: [] }).verdict.decision).toBe('blocked');
  });
});

const manual = {
  ...{ id: 'looks', kind: 'manual' as const, question: 'Does it look right?' },
  ...{ stages: ['candidate' as const, 'post' as const], required: true },
};

describe('a signature', () => {
  const signed = (patch: Partial<PersonsAnswer> = {}): PersonsAnswer => ({
    ...{ item: 'looks', outcome: 'passed', note: 'fine', by: { git: 'bob@x.org', account: '' } },
    ...{ at: minute(9), revision: r2, digest, ...patch },
  });
  test.each<[string, PersonsAnswer[], string]>([
    ['for this very revision', [signed()], 'ready'],
    ['that is not there', [], 'pending'],
    ['for another item', [signed({ item: 'sounds' })], 'pending'],
    ['for another revision', [signed({ revision: r1 })], 'pending'],
    ['for another digest', [signed({ digest: 'sha256:bb' })], 'pending'],
    ['that says no', [signed(), signed({ outcome: 'failed' })], 'blocked'],
    ['that says yes after a no', [signed({ outcome: 'failed' }), signed()], 'ready'],
  ])('%s', (_, signatures, decision) => {
    const { verdict } = judge({ checklist: [manual], signatures });
    expect(verdict.decision).toBe(decision);
    expect(verdict.conditions.filter(({ id }) => id === 'chat.signed.looks')).toHaveLength(1);
  });
});

describe('an override', () => {
  const frozen: GateSpec = {
    ...gate,
    freeze: [{ kind: 'once', from: '2026-11-27', to: '2026-11-28', timeZone: 'UTC', reason: 'launch' }],
  };
  const override = { override: 'outage', allowOlder: false, who: 'eve@x.org' };

  test('lifts a freeze and is told', () => {
    expect(openIn(judge({}, { gate: frozen }))).toEqual([
      'freeze: production is frozen until the end of 2026-11-28 (UTC): launch → sluice promote staging production --override "…" --local',
    ]);
    const lifted = judge({}, { gate: frozen, asked: override });
    expect(lifted.verdict.decision).toBe('ready');
    expect(lifted.overrides).toEqual([{ condition: 'freeze', why: 'outage', who: 'eve@x.org' }]);
    expect(lifted.verdict.conditions[0]?.reason).toMatch(/overridden by eve@x\.org: outage$/);
  });

  test('without a freeze is none', () => {
    expect(judge({}, { asked: override }).overrides).toEqual([]);
  });

  test('lifts no check, no approval, and not the order of commits', () => {
    const patch = {
      evidence: evidence([deployed.slice(0, -1)]),
      ancestry: { kind: 'older', source: 'a', target: 'b' } as const,
    };
    const judged = judge(patch, { gate: { ...frozen, approvals: 1 }, asked: override });
    expect(openIn(judged).map((told) => told.split(':')[0])).toEqual([
      'chat.check.post.health',
      'chat.approvals',
      'chat.commit',
    ]);
  });

  test('of the order of commits is recorded too', () => {
    const ancestry: Ancestry = { kind: 'diverged', source: 'a', target: 'b' };
    const judged = judge({ ancestry }, { asked: { override: null, allowOlder: true, who: 'eve@x.org' } });
    expect(judged.verdict.decision).toBe('ready');
    expect(judged.overrides).toEqual([
      { condition: 'chat.commit', why: 'allowed by --allow-older', who: 'eve@x.org' },
    ]);
  });
});

const rank = { blocked: 0, pending: 1, ready: 2 } as const;
const anyStatus = fc.constantFrom<CheckResult['status']>('passed', 'failed', 'skipped', 'inconclusive');
const anyTold = fc.oneof(
  fc.constantFrom(...deployed),
  fc
    .tuple(fc.integer({ min: 1, max: 19 }), fc.constantFrom('candidate' as const, 'post' as const), anyStatus)
    .map(([at, stage, status]) => checked(at, stage, status)),
  fc.tuple(fc.integer({ min: 1, max: 19 }), fc.constantFrom(r1, r2)).map(([at, to]) => traffic(at, to)),
);

/** What speaks for the revision: taking it away may only close the gate. */
const speaksFor = ([, event]: Told) =>
  (event.type === 'check.finished' && event.result.status === 'passed') ||
  ['candidate.intended', 'startup.finished', 'answer.proven'].includes(event.type);

test('taking away what speaks for a revision never makes it readier', () => {
  fc.assert(
    fc.property(fc.array(anyTold, { maxLength: 8 }), fc.nat(), (more, pick) => {
      const told = [...deployed, ...more].sort(([a], [b]) => a - b);
      const good = told.filter(speaksFor);
      const gone = good[pick % good.length];
      const at = told.lastIndexOf(gone ?? startup);
      const before = judge({ evidence: evidence([told]) }).verdict.decision;
      const less = told.filter((_, index) => index !== at);
      const after = judge({ evidence: evidence([less]) }).verdict.decision;
      expect(rank[after]).toBeLessThanOrEqual(rank[before]);
    }),
  );
});

test('an unmet condition is never covered by another', () => {
  const broken: Partial<ServiceFacts>[] = [
    { leaks: { e2e: ['x'], source: [] } },
    { leaks: { e2e: [], source: ['x'] } },
    { evidence: evidence([deployed.slice(0, -1)]) },
    { ancestry: { kind: 'older', source: 'a', target: 'b' } },
    { resources: [{ kind: 'secret', name: 's', answer: { state: 'unknown', why: '' } } satisfies Resource] },
  ];
  fc.assert(
    fc.property(fc.subarray(broken, { minLength: 1 }), (some) => {
      expect(judge(Object.assign({}, ...some)).verdict.decision).toBe('blocked');
    }),
  );
});
