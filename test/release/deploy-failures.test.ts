import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpCheck, logsCheck, openStand, type Stand, soundness, type TargetPatch } from './kit.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

const phases: TargetPatch = { startup: { phases: ['INIT', 'READY'] } };
const systems: TargetPatch = { startup: { systems: { required: ['Database'], optional: [] } } };

type Case = {
  /** Also the service's name. */
  name: string;
  patch: TargetPatch;
  exitCode: number;
  /** In the diagnosis. */
  tells: RegExp;
  /** What the release did not come to. */
  notDone: string[];
};

const before = ['the candidate checks were not run', 'the traffic was not moved'];
const beforeTraffic = ['the traffic was not moved', 'the post-deploy checklist was not run'];

const cases: Case[] = [
  {
    name: 'image-missing',
    patch: { build: { repository: 'images/app', image: 'images/none:gone', timeoutSeconds: 9 } },
    exitCode: 12,
    tells: /images\/none:gone/,
    notDone: before,
  },
  { name: 'exits-0', patch: { env: { START: 'exit-0' } }, exitCode: 12, tells: /exit/, notDone: before },
  {
    name: 'exits-3',
    patch: { env: { START: 'exit-3' } },
    exitCode: 12,
    tells: /^\[\{"cause":"The container exited with exit code 3"/,
    notDone: before,
  },
  {
    name: 'exits-after-bind',
    patch: { env: { START: 'exit-after-bind' }, startup: { quietSeconds: 1 } },
    exitCode: 12,
    tells: /exit(\(3\)| code 3)/,
    notDone: before,
  },
  {
    name: 'import-error',
    patch: { env: { START: 'import-error' } },
    exitCode: 12,
    tells: /^\[\{"cause":"[^"]*database-driver/,
    notDone: before,
  },
  {
    name: 'system-failed',
    patch: { ...systems, env: { SAYS: 'system=Database status=failed' } },
    exitCode: 12,
    tells: /Database/,
    notDone: before,
  },
  {
    name: 'system-silent',
    patch: { env: { VERSION: '2' }, startup: { ...systems.startup, deadlineSeconds: 1 } },
    exitCode: 12,
    tells: /after 1 s still missing: systems Database/,
    notDone: before,
  },
  {
    name: 'phase-failed',
    patch: { ...phases, env: { SAYS: 'phase=INIT seconds=0.1|PHASE FAILED: READY (0.2s) - no route' } },
    exitCode: 12,
    tells: /READY/,
    notDone: before,
  },
  {
    name: 'never-listens',
    patch: { env: { START: 'silent' }, startup: { deadlineSeconds: 1 } },
    exitCode: 12,
    tells: /still missing: Ready/,
    notDone: before,
  },
  {
    name: 'answers-500',
    patch: { env: { FAILS: '/ /who /health' }, startup: { deadlineSeconds: 3 } },
    exitCode: 12,
    tells: /still missing: an answer to a request","why":"Requests are answered with 500/,
    notDone: before,
  },
  {
    name: 'candidate-check',
    patch: { env: { FAILS: '/candidate' } },
    exitCode: 13,
    tells: /Check candidate .*500/,
    notDone: beforeTraffic,
  },
  {
    name: 'log-check',
    patch: { env: { SAYS: 'forbidden word' }, checklist: [logsCheck('words', ['forbidden word'])] },
    exitCode: 13,
    tells: /forbidden word/,
    notDone: beforeTraffic,
  },
  {
    name: 'nobody-known',
    patch: { env: { ANONYMOUS: 'yes' }, rollout: { trafficDeadlineSeconds: 1 } },
    exitCode: 13,
    tells: /Nothing shows that/,
    notDone: beforeTraffic,
  },
  {
    name: 'post-check',
    patch: { env: { FAILS: '/post' } },
    exitCode: 13,
    tells: /Check post .*500/,
    notDone: [],
  },
  {
    name: 'dies-in-check',
    patch: { env: { VERSION: '2' }, checklist: [{ ...httpCheck('die', 'candidate'), required: false }] },
    exitCode: 13,
    tells: /exit code 4/,
    notDone: ['the post-deploy checklist was not run'],
  },
];

describe('a failure leaves what served, says why and what was not done', () => {
  test.concurrent.each(cases)('$name', async ({ name, patch, exitCode, tells, notDone }) => {
    const chat = stand.subject(name);
    const good = await chat.deploy();
    expect(good.told).toBe('[null,[]]');
    const outcome = await chat.deploy({ patch });
    expect(soundness(outcome)).toEqual([]);
    expect(outcome.told).toMatch(tells);
    expect(outcome).toMatchObject({ exitCode, verdict: 'blocked' });
    expect(outcome.service.finished?.diagnosis?.notDone).toEqual(expect.arrayContaining(notDone));
    expect(outcome.service.finished?.diagnosis?.next.length).toBeGreaterThan(0);
    expect(await chat.serves()).toBe(good.service.revision);
    const live = await chat.live();
    expect(live.traffic.filter(({ percent }) => percent > 0)).toEqual([
      { revision: good.service.revision, percent: 100 },
    ]);
    const written = outcome.service.candidate !== null;
    expect(outcome.rolledBack).toBe(written);
    if (written) {
      expect(live.annotations['sluice.dev/state']).toBe('failed');
      expect(outcome.service.proof?.revision).toBe(good.service.revision);
    }
    // And the way on is free.
    const next = await chat.deploy({ patch: { env: { VERSION: 'next' } } });
    expect(next.told).toBe('[null,[]]');
    expect(soundness(next)).toEqual([]);
    expect(await chat.serves()).toBe(next.service.revision);
  });
});

test.concurrent('a process that dies under traffic while it bakes ends the bake, and what served is back', async () => {
  const chat = stand.subject('bake');
  const good = await chat.deploy();
  const began = performance.now();
  const outcome = await chat.deploy({
    patch: { env: { VERSION: '2' }, rollout: { bakeSeconds: 60 } },
    on: (event) => {
      if (event.type !== 'progress' || !event.note.startsWith('baking')) return;
      chat
        .live()
        .then(({ uri }) => fetch(new URL('/die', uri)))
        .catch(() => undefined);
    },
  });
  expect(performance.now() - began).toBeLessThan(60_000);
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 13, rolledBack: true });
  expect(outcome.told).toMatch(/exit code 4/);
  expect(await chat.serves()).toBe(good.service.revision);
});

test.concurrent('service-wide settings come with the traffic and go with the restore', async () => {
  const chat = stand.subject('wide');
  const good = await chat.deploy();
  const outcome = await chat.deploy({
    patch: { env: { FAILS: '/post' }, container: { minInstances: 1, public: false } },
  });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 13, rolledBack: true });
  expect(await chat.live()).toMatchObject({ public: true, minInstances: 0 });
  expect(await chat.serves()).toBe(good.service.revision);
});

test('what Cloud Run would refuse is refused before anything is built or written', async () => {
  const chat = stand.subject('refused');
  const outcome = await chat.deploy({
    patch: { secrets: { API_KEY: { secret: 'api-key', version: '1' } }, container: { memory: '64Gi' } },
  });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 10, rolledBack: false });
  expect(outcome.service.finished).toMatchObject({ outcome: 'not-started', reason: 'preflight' });
  expect(outcome.service.preflight).toMatchObject([
    {
      what: 'The secret api-key:1, which refused reads as API_KEY, does not exist.',
      next: [
        expect.stringMatching(/^gcloud secrets create api-key --project=\S+ --data-file=FILE$/),
        expect.stringContaining('sluice'),
      ],
    },
    { what: expect.stringMatching(/would refuse .*memory/), next: [expect.stringContaining('sluice')] },
  ]);
  expect(outcome.service.build).toBeNull();
  await expect(chat.live()).rejects.toThrow('refused does not exist');
});
