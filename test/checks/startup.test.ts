import { expect, test } from 'vitest';
import { checkStartup } from '../../src/checks/startup.ts';
import type { StartupSpec } from '../../src/config/target.ts';
import type { Finding, RevisionProfile } from '../../src/startup/profile.ts';
import { noDemands, profileWith } from './given.ts';

const rootCause: Finding = {
  severity: 'fatal',
  category: 'import',
  cause: "No module named 'shared.types'",
  hint: '',
  count: 3,
  firstSeen: '2026-11-22T02:31:06Z',
  lastSeen: '2026-11-22T02:31:09Z',
  entries: ['id-1'],
};
const phases: RevisionProfile['phases'] = [
  { name: 'INIT', seconds: 0.5, share: 0.034, outcome: 'completed' },
  { name: 'DEPENDENCIES', seconds: 14.084, share: 0.966, outcome: 'completed' },
  { name: 'DATABASE', seconds: null, share: null, outcome: 'incomplete' },
];
const systems: RevisionProfile['systems'] = [
  { name: 'database', status: 'healthy', detail: '' },
  { name: 'cache', status: 'degraded', detail: 'fallback' },
  { name: 'llm', status: 'failed', detail: '' },
  { name: 'queue', status: 'not-reported', detail: '' },
];
const demand = (more: Partial<StartupSpec>): StartupSpec => ({ ...noDemands, ...more });
const requiring = (...required: string[]) => demand({ systems: { required, optional: [] } });

test.each<[string, RevisionProfile | null, StartupSpec, string, string]>([
  ['a start', profileWith(), noDemands, 'passed', 'started in 2 s'],
  ['no profile', null, noDemands, 'inconclusive', 'not followed'],
  [
    'unknown',
    profileWith({ outcome: 'unknown' }),
    noDemands,
    'inconclusive',
    'does not say whether it started',
  ],
  [
    'failed',
    profileWith({ outcome: 'failed', rootCause }),
    noDemands,
    'failed',
    "did not start: No module named 'shared.types'",
  ],
  ['crash loop', profileWith({ outcome: 'crash-loop' }), noDemands, 'failed', 'again and again'],
  [
    'a phase in budget',
    profileWith({ phases }),
    demand({ budgets: { phases: { DEPENDENCIES: 14.084 } } }),
    'passed',
    '',
  ],
  [
    'a phase over budget',
    profileWith({ phases }),
    demand({ budgets: { phases: { DEPENDENCIES: 10 } } }),
    'failed',
    'DEPENDENCIES took 14.084 s, budget 10 s',
  ],
  [
    'the total over budget',
    profileWith({ totalSeconds: 61.5 }),
    demand({ budgets: { total: 60, phases: {} } }),
    'failed',
    'the startup took 61.5 s, budget 60 s',
  ],
  [
    'a budget without a time',
    profileWith({ totalSeconds: null }),
    demand({ budgets: { total: 60, phases: {} } }),
    'inconclusive',
    'the time of the startup was not reported, budget 60 s',
  ],
  [
    'completed phases',
    profileWith({ phases }),
    demand({ phases: ['INIT', 'DEPENDENCIES'] }),
    'passed',
    '2 required phases',
  ],
  [
    'an incomplete phase',
    profileWith({ phases }),
    demand({ phases: ['DATABASE'] }),
    'failed',
    'phase DATABASE did not complete',
  ],
  [
    'a phase nobody reported',
    profileWith({ phases }),
    demand({ phases: ['WARMUP'] }),
    'failed',
    'phase WARMUP was not reported',
  ],
  [
    'a healthy system',
    profileWith({ systems }),
    requiring('database'),
    'passed',
    '1 required systems healthy',
  ],
  [
    'every system that is not healthy',
    profileWith({ systems }),
    requiring('database', 'cache', 'llm', 'queue', 'mail'),
    'failed',
    'system cache is degraded (fallback); system llm is failed; system queue was not reported; system mail was not reported',
  ],
])('%s', (_, profile, spec, status, reason) => {
  const outcome = checkStartup(profile, spec);
  expect(outcome.status).toBe(status);
  expect(outcome.reason).toContain(reason);
});

test('a failed start is proven by the entries of its root cause', () => {
  expect(checkStartup(profileWith({ outcome: 'failed', rootCause }), noDemands).entries).toEqual(['id-1']);
});
