import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import type { Locks } from '../../src/ledger/lock.ts';
import type { ReleaseEvent, Stage } from '../../src/release/events.ts';
import { allTo, openStand, type Stand, soundness } from './kit.ts';

vi.setConfig({ maxConcurrency: 8 });

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

const interrupted = Object.assign(new Error('interrupted'), { name: 'Interrupted' });
const slow = { startup: { quietSeconds: 0.6 }, rollout: { bakeSeconds: 0.6 } };

/** An abort at the first event that fits. */
function abortAt(fits: (event: ReleaseEvent) => boolean, afterMs?: number) {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    on: (event: ReleaseEvent): void => {
      if (!fits(event) || controller.signal.aborted) return;
      if (afterMs === undefined) controller.abort(interrupted);
      else setTimeout(() => controller.abort(interrupted), afterMs);
    },
  };
}

const stage = (name: Stage) => (event: ReleaseEvent) =>
  event.type === 'stage.started' && event.stage === name;
const type = (name: ReleaseEvent['type']) => (event: ReleaseEvent) => event.type === name;

type Moment = [name: string, fits: (event: ReleaseEvent) => boolean, wrote: boolean];

const moments: Moment[] = [
  ['observe', stage('observe'), false],
  ['build', stage('build'), false],
  ['candidate', stage('candidate'), false],
  ['intent', type('candidate.intended'), false],
  ['startup', stage('startup'), true],
  ['warm-up', (event) => event.type === 'progress' && event.note.includes('quiet moment'), true],
  ['checks', stage('checks'), true],
  ['traffic', stage('traffic'), true],
  ['migration', type('traffic.intended'), true],
  ['settled', type('traffic.observed'), true],
  ['bake', (event) => event.type === 'progress' && event.note.startsWith('baking'), true],
  ['checklist', stage('checklist'), true],
  ['last-check', (event) => event.type === 'check.started' && event.stage === 'post', true],
  ['mark', type('mark.intended'), true],
];

describe('an interruption leaves what served, proven', () => {
  test.concurrent.each(moments)('at %s', async (name, fits, wrote) => {
    const chat = stand.subject(`stop-${name}`);
    const good = await chat.deploy();
    const outcome = await chat.deploy({
      patch: { env: { VERSION: '2' }, ...slow },
      ...abortAt(fits),
    });
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 130, rolledBack: wrote, verdict: 'blocked' });
    expect(outcome.state.finished?.outcome).toBe('interrupted');
    expect(await chat.serves()).toBe(good.service.revision);
    const live = await chat.live();
    expect(live.traffic.filter(({ percent }) => percent > 0)).toEqual([
      { revision: good.service.revision, percent: 100 },
    ]);
    if (wrote) expect(outcome.service.proof?.revision).toBe(good.service.revision);
    const next = await chat.deploy({ patch: { env: { VERSION: '3' } } });
    expect(next).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  });

  test.concurrent('while a start that never comes is waited for', async () => {
    const chat = stand.subject('stop-silent');
    const good = await chat.deploy();
    const outcome = await chat.deploy({
      patch: { env: { START: 'silent' } },
      ...abortAt(stage('startup'), 300),
    });
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 130, rolledBack: true });
    expect(await chat.serves()).toBe(good.service.revision);
  });

  test.concurrent('of a first deploy: it stays closed', async () => {
    const chat = stand.subject('stop-first');
    const outcome = await chat.deploy({ ...abortAt(stage('checks')) });
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 130, rolledBack: false });
    expect(await chat.serves()).toBe(403);
    const next = await chat.deploy();
    expect(next).toMatchObject({ exitCode: 0, told: '[null,[]]' });
    expect(await chat.serves()).toBe(next.service.revision);
  });
});

test('a write that lands after its interruption is known for our own and taken back', async () => {
  await using own = await ownStand();
  const chat = own.stand.subject('late');
  const good = await chat.deploy();
  const controller = new AbortController();
  const outcome = await chat.deploy({
    patch: { env: { VERSION: '2' } },
    signal: controller.signal,
    on: (event) => {
      if (event.type !== 'traffic.intended' || event.purpose !== 'migrate') return;
      own.stand.cloud.inject({ api: 'run', method: 'UpdateService', latencyMs: 300, times: 1 });
      sleep(150).then(() => controller.abort(interrupted));
    },
  });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 130, rolledBack: true });
  await sleep(400);
  expect(await chat.serves()).toBe(good.service.revision);
});

async function ownStand() {
  const own = await openStand();
  return { stand: own, [Symbol.asyncDispose]: () => own.close() };
}

test.concurrent('a lost lock stops the release as a conflict', async () => {
  const chat = stand.subject('lock-lost');
  const good = await chat.deploy();
  const lost = new AbortController();
  const locks: Locks = {
    acquire: async () => ({ lost: lost.signal, release: async () => undefined }),
    holder: async () => undefined,
  };
  const outcome = await chat.deploy({
    patch: { env: { VERSION: '2' }, ...slow },
    deps: { locks },
    on: (event) => {
      if (stage('checks')(event)) lost.abort(new SluiceError('conflict', { what: 'The lock was lost' }));
    },
  });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 17, rolledBack: true });
  expect(outcome.told).toMatch(/The lock was lost/);
  expect(await chat.serves()).toBe(good.service.revision);
});

describe('after a crash the next deploy says so and goes on', () => {
  /** What a release leaves that dies in this state. */
  const crash = (state: string, former: string, candidate: string) => ({
    'sluice.dev/release': '20260101T000000-staging-dead',
    'sluice.dev/state': state,
    'sluice.dev/candidate': candidate,
    'sluice.dev/former-traffic': JSON.stringify([{ revision: former, percent: 100 }]),
  });

  async function crashed(service: string, state: 'candidate' | 'migrating') {
    const chat = stand.subject(service);
    const good = await chat.deploy();
    const former = good.service.revision ?? '';
    const dead = `${service}-dead`;
    const serving = state === 'migrating' ? dead : former;
    const tag = state === 'candidate' ? [{ revision: dead, tag: 'candidate', percent: 0 }] : [];
    await chat.meddle(() => ({
      template: {
        ...{ revision: dead, set: {}, annotations: {} },
        ...{ env: { set: { VERSION: 'dead' }, remove: [] }, secrets: { set: {}, remove: [] } },
        labels: { set: {}, remove: [] },
      },
      traffic: [{ revision: serving, percent: 100 }, ...tag],
      annotations: { ...crash(state, former, dead), 'sluice.dev/pin': serving },
    }));
    return { chat, former, dead };
  }

  test.concurrent.each(['candidate', 'migrating'] as const)('in state %s', async (state) => {
    const { chat, former } = await crashed(`crash-${state}`, state);
    const bad = await chat.deploy({ patch: { env: { FAILS: '/post' } } });
    expect(soundness(bad)).toEqual([]);
    expect(bad).toMatchObject({ exitCode: 13, rolledBack: true });
    expect(bad.service.plan?.notes.join()).toMatch(/20260101T000000-staging-dead was interrupted/);
    expect(await chat.serves()).toBe(former);
    const next = await chat.deploy({ patch: { env: { VERSION: '3' } } });
    expect(next).toMatchObject({ exitCode: 0, told: '[null,[]]' });
    expect(await chat.serves()).toBe(next.service.revision);
  });

  test.concurrent('without a change it still ends what was left open', async () => {
    const { chat, former } = await crashed('crash-same', 'candidate');
    const next = await chat.deploy();
    expect(soundness(next)).toEqual([]);
    expect(next).toMatchObject({ exitCode: 0 });
    expect(next.service.plan?.because).toMatch(/did not finish/);
    expect(await chat.serves()).not.toBe(former);
    expect((await chat.live()).annotations['sluice.dev/state']).toBe('verified');
  });

  test.concurrent('traffic that somebody has moved since is theirs', async () => {
    const { chat, former, dead } = await crashed('crash-moved', 'migrating');
    await chat.meddle(allTo(former));
    const blocked = await chat.deploy({ patch: { env: { VERSION: '2' } } });
    expect(blocked.exitCode).toBe(10);
    expect(blocked.service.preflight[0]?.next).toEqual(['sluice deploy staging --take-over-traffic']);
    await chat.meddle(allTo(dead));
    const next = await chat.deploy({ patch: { env: { VERSION: '2' } } });
    expect(next.exitCode).toBe(0);
  });
});
