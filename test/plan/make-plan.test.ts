import { describe, expect, test } from 'vitest';
import type { LiveService } from '../../src/cloud/ports/index.ts';
import { makePlan, type PlanInputs } from '../../src/plan/make-plan.ts';
import { marks } from '../../src/plan/marks.ts';
import { planSchema } from '../../src/plan/plan.ts';
import { importsCheck } from '../checks/programs.ts';
import { image, sampleLive, sampleRevision, sampleTarget, sampleTemplate } from './samples.ts';

const pinned = { [marks.pin]: 'chat-1', [marks.verified]: 'chat-1', [marks.state]: 'verified' };

function plan(changes: Partial<PlanInputs>) {
  return makePlan({
    target: sampleTarget(),
    live: sampleLive([{ revision: 'chat-1', percent: 100 }], { annotations: pinned }),
    revisions: [sampleRevision('chat-1')],
    source: 'sha256:s',
    image: { from: 'earlier-build', reference: image },
    revisionSuffix: 'r2',
    takeOverTraffic: false,
    command: 'sluice deploy staging',
    ...changes,
  });
}

const live = (changes: Partial<LiveService>): LiveService =>
  sampleLive([{ revision: 'chat-1', percent: 100 }], { annotations: pinned, ...changes });

describe('whether there is something to do', () => {
  test('nothing, when the serving revision has this image and config and a passed verdict', () => {
    expect(plan({})).toMatchObject({ action: 'none', revision: null, changes: [], steps: [], blockers: [] });
  });

  test('a service that does not exist is created, closed, with no tag', () => {
    const made = plan({ live: undefined, revisions: [] });
    expect(made).toMatchObject({
      action: 'create',
      first: true,
      tag: null,
      formerTraffic: [],
      revision: 'chat-r2',
    });
    expect(made.steps.join()).toContain('closed to the public');
  });

  test('the checks before the build are the first step', () => {
    const checklist = [importsCheck('node')];
    const made = plan({ target: { ...sampleTarget(), checklist }, live: undefined, revisions: [] });
    expect(made.steps[0]).toBe('run the predeploy checks: imports');
  });

  test.each([
    [
      'an unverified serving revision',
      live({ annotations: { [marks.pin]: 'chat-1' } }),
      /without a passed verdict/,
    ],
    ['an unpinned one', live({ traffic: [{ revision: 'LATEST', percent: 100 }] }), /not pinned/],
    [
      'an interrupted release',
      live({ annotations: { ...pinned, [marks.state]: 'candidate', [marks.release]: 'r-9' } }),
      /release r-9 did not finish/,
    ],
  ])('%s is deployed anew', (_name, found, because) => {
    const made = plan({ live: found });
    expect(made.action).toBe('update');
    expect(made.because).toMatch(because);
  });

  test('a build to come is known after build', () => {
    const made = plan({ image: { from: 'build', reference: null } });
    expect(made.because).toBe('the source has changed');
    expect(made.changes).toEqual([{ field: 'image', from: image, to: 'known after build' }]);
  });
});

describe('changes, against the revision that serves', () => {
  test('after a failed deploy service.template is the bad one and is not compared with', () => {
    const found = live({
      template: sampleTemplate({ env: { LOG_LEVEL: 'debug' } }),
      templateRevision: 'chat-bad',
    });
    expect(plan({ live: found }).action).toBe('none');
  });

  test('only an owned key that has left the config is removed', () => {
    const owns = JSON.stringify({ env: ['OLD', 'LOG_LEVEL'], secrets: [], labels: [] });
    const template = sampleTemplate({ env: { LOG_LEVEL: 'info', OLD: '1', FOREIGN: '2' } });
    const made = plan({
      live: live({ annotations: { ...pinned, [marks.owns]: owns } }),
      revisions: [sampleRevision('chat-1', { template })],
    });
    expect(made.changes).toEqual([{ field: 'env.OLD', from: '1', to: null }]);
  });

  test('a key that a failed candidate dropped already is still to be removed from what serves', () => {
    const owns = (...env: string[]) => JSON.stringify({ env, secrets: [], labels: [] });
    const template = sampleTemplate({ env: { LOG_LEVEL: 'info', OLD: '1' } });
    const made = plan({
      live: live({ annotations: { ...pinned, [marks.owns]: owns('LOG_LEVEL') } }),
      revisions: [
        sampleRevision('chat-1', { template, annotations: { [marks.owns]: owns('LOG_LEVEL', 'OLD') } }),
      ],
    });
    expect(made).toMatchObject({
      action: 'update',
      changes: [{ field: 'env.OLD', from: '1', to: null }],
    });
  });

  test('an e2e value is never shown', () => {
    const target = sampleTarget({
      env: { LOG_LEVEL: 'info', E2E_KEY: 'staging_e2e_key_2024' },
      e2e: { env: { E2E_KEY: 'staging_e2e_key_2024' }, headers: {} },
    });
    const made = plan({ target });
    expect(made.changes).toEqual([{ field: 'env.E2E_KEY', from: null, to: '[redacted]' }]);
  });

  test('service-wide settings are listed apart', () => {
    const made = plan({ live: live({ public: false }) });
    expect(made.serviceWide).toEqual([{ field: 'public', from: 'false', to: 'true' }]);
    expect(made.action).toBe('update');
  });
});

test('variables and secrets of somebody else are named: they stay', () => {
  const template = sampleTemplate({
    env: { ...sampleTarget().env, FOO: 'bar' },
    secrets: { API_KEY: { secret: 'api-key', version: '1' } },
  });
  const made = plan({ live: live({ template }) });
  expect(made.notes.join()).toContain('Left as they are: env FOO, secret API_KEY.');
});

test('a service that its IAM policy opens is not closed by a deploy, so the plan says how', () => {
  const opened = live({ public: true, openedByPolicy: true });
  expect(plan({ live: opened }).blockers).toEqual([]);
  const target = sampleTarget({ container: { ...sampleTarget().container, public: false } });
  expect(plan({ target, live: opened }).blockers).toMatchObject([
    {
      what: expect.stringContaining('allUsers'),
      next: [expect.stringContaining('remove-iam-policy-binding')],
    },
  ]);
  expect(plan({ target, live: live({ public: true }) }).blockers).toEqual([]);
});

describe('traffic', () => {
  test('a foreign pin is refused with the command that takes it over', () => {
    const split = [
      { revision: 'chat-0', percent: 90 },
      { revision: 'chat-1', percent: 10 },
    ];
    const found = live({ traffic: split, actualTraffic: split });
    expect(plan({ live: found }).blockers).toEqual([
      expect.objectContaining({ next: ['sluice deploy staging --take-over-traffic'] }),
    ]);
    expect(plan({ live: found, takeOverTraffic: true }).blockers).toEqual([]);
  });

  test("LATEST is nobody's pin, and what a failure restores is the revision that served", () => {
    const latest = [{ revision: 'LATEST', percent: 100 }];
    const made = plan({ live: live({ traffic: latest, actualTraffic: latest, annotations: {} }) });
    expect(made.blockers).toEqual([]);
    expect(made.formerTraffic).toEqual([{ revision: 'chat-1', percent: 100 }]);
  });

  test('a release that was cut off while it moved the traffic is not what a failure goes back to', () => {
    const annotations = {
      ...pinned,
      [marks.state]: 'migrating',
      [marks.release]: 'r-9',
      [marks.pin]: 'chat-2',
      [marks.formerTraffic]: JSON.stringify([{ revision: 'chat-1', percent: 100 }]),
    };
    const moved = [{ revision: 'chat-2', percent: 100 }];
    const made = plan({
      live: live({ traffic: moved, actualTraffic: moved, annotations }),
      revisions: [sampleRevision('chat-2'), sampleRevision('chat-1')],
    });
    expect(made.formerTraffic).toEqual([{ revision: 'chat-1', percent: 100 }]);
  });

  test("foreign tags stay and somebody else's candidate tag is not taken", () => {
    const traffic = [
      { revision: 'chat-1', percent: 100 },
      { revision: 'chat-0', percent: 0, tag: 'blue' },
      { revision: 'chat-0', percent: 0, tag: 'candidate' },
    ];
    const made = plan({ live: live({ traffic, actualTraffic: traffic, public: false }) });
    expect(made.formerTraffic).toContainEqual({ revision: 'chat-0', percent: 0, tag: 'blue' });
    expect(made.blockers[0]?.what).toContain("somebody else's");
  });

  test('a service whose first deploy failed has no traffic to protect', () => {
    const failed = sampleRevision('chat-1', { ready: 'no' });
    const made = plan({
      live: live({
        traffic: [{ revision: 'LATEST', percent: 100 }],
        actualTraffic: [],
        latestReadyRevision: '',
      }),
      revisions: [failed],
    });
    expect(made).toMatchObject({ action: 'update', first: true, tag: null });
  });
});

test('every plan fits its published schema', () => {
  for (const made of [plan({}), plan({ live: undefined, revisions: [] }), plan({ source: null })]) {
    expect(planSchema.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
  }
});
