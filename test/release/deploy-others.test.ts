import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ServiceEdit } from '../../src/cloud/ports/index.ts';
import type { ReleaseEvent } from '../../src/release/events.ts';
import { allTo, type Outcome, openStand, type Stand, type Subject, soundness } from './kit.ts';

vi.setConfig({ maxConcurrency: 8 });

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

/** Two revisions that have served, the second one still does. */
async function withHistory(service: string): Promise<{ chat: Subject; old: string; serving: string }> {
  const chat = stand.subject(service);
  const one = await chat.deploy();
  const two = await chat.deploy({ patch: { env: { VERSION: '2' } } });
  return { chat, old: one.service.revision ?? '', serving: two.service.revision ?? '' };
}

/** Somebody else's write at the first event that fits, done before the release can go on writing. */
function meanwhile(fits: (event: ReleaseEvent) => boolean, act: () => Promise<void>) {
  let acted: Promise<void> | undefined;
  return {
    on: (event: ReleaseEvent): void => {
      if (!acted && fits(event)) acted = act();
    },
    done: () => acted,
  };
}

describe('somebody else moves the traffic meanwhile: it stays theirs', () => {
  const moments: [string, (event: ReleaseEvent) => boolean][] = [
    ['starts', (event) => event.type === 'stage.started' && event.stage === 'startup'],
    ['is checked', (event) => event.type === 'check.started' && event.stage === 'candidate'],
    ['bakes', (event) => event.type === 'progress' && event.note.startsWith('baking')],
    ['is checked under traffic', (event) => event.type === 'check.started' && event.stage === 'post'],
  ];
  test.concurrent.each(moments)('while the candidate %s', async (moment, fits) => {
    const { chat, old } = await withHistory(`theirs-${moment.replaceAll(' ', '-')}`);
    const other = meanwhile(fits, () => chat.meddle(allTo(old)));
    const outcome = await chat.deploy({
      patch: { env: { VERSION: '3' }, rollout: { bakeSeconds: 0.8 }, startup: { quietSeconds: 0.8 } },
      on: other.on,
    });
    await other.done();
    expectTheirs(outcome);
    expect(await chat.serves()).toBe(old);
    expect(outcome.service.traffic.filter(({ percent }) => percent > 0)).toEqual([
      expect.objectContaining({ revision: old, percent: 100 }),
    ]);
    const live = await chat.live();
    expect(live.traffic.filter(({ percent }) => percent > 0)).toEqual([{ revision: old, percent: 100 }]);

    // Their pin is respected by the next deploy too, until it is told otherwise.
    const next = await chat.deploy({ patch: { env: { VERSION: '4' } } });
    expect(next.exitCode).toBe(10);
    expect(next.service.preflight[0]?.next).toEqual(['sluice deploy staging --take-over-traffic']);
    expect(await chat.serves()).toBe(old);
  });

  test.concurrent('while a failed release is about to restore', async () => {
    const { chat, old } = await withHistory('theirs-restore');
    const other = meanwhile(
      (event) => event.type === 'check.started' && event.stage === 'post',
      () => chat.meddle(allTo(old)),
    );
    const outcome = await chat.deploy({ patch: { env: { FAILS: '/post' } }, on: other.on });
    await other.done();
    expectTheirs(outcome);
    expect(await chat.serves()).toBe(old);
  });

  function expectTheirs(outcome: Outcome): void {
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 17, rolledBack: false, verdict: 'blocked' });
    expect(outcome.told).toMatch(/Somebody else changed/);
    expect(outcome.service.finished?.diagnosis?.notDone.join()).toMatch(/former traffic was not restored/);
  }
});

test.concurrent('a foreign pin blocks with the command that takes it over, and with it the deploy works', async () => {
  const { chat, old } = await withHistory('pinned');
  await chat.meddle(allTo(old));
  const before = await chat.live();
  const blocked = await chat.deploy({ patch: { env: { VERSION: '3' } } });
  expect(soundness(blocked)).toEqual([]);
  expect(blocked.exitCode).toBe(10);
  expect(blocked.service.preflight).toEqual([
    expect.objectContaining({ next: ['sluice deploy staging --take-over-traffic'] }),
  ]);
  expect((await chat.live()).etag).toBe(before.etag);

  const taken = await chat.deploy({ patch: { env: { VERSION: '3' } }, takeOver: true });
  expect(taken).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(await chat.serves()).toBe(taken.service.revision);
  const next = await chat.deploy({ patch: { env: { VERSION: '4' } } });
  expect(next.exitCode).toBe(0);
});

test.concurrent('a split that is taken over is what a failure restores', async () => {
  const { chat, old, serving } = await withHistory('split');
  const half = [
    { revision: old, percent: 50 },
    { revision: serving, percent: 50 },
  ];
  await chat.meddle(() => ({ traffic: half }));
  const outcome = await chat.deploy({ patch: { env: { FAILS: '/post' } }, takeOver: true });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 13, rolledBack: true });
  const { actualTraffic } = await chat.live();
  expect(actualTraffic.filter(({ percent }) => percent > 0)).toEqual(half);
});

test.concurrent('foreign tags, variables, labels and annotations survive a deploy and a restore', async () => {
  const { chat, old, serving } = await withHistory('foreign');
  const theirs: ServiceEdit = {
    template: {
      ...{ revision: 'foreign-theirs', set: {}, annotations: { 'team.example/owner': 'anna' } },
      env: { set: { THEIR_SETTING: 'kept' }, remove: [] },
      secrets: { set: {}, remove: [] },
      labels: { set: { team: 'chat' }, remove: [] },
    },
    traffic: [
      { revision: serving, percent: 100 },
      { revision: old, percent: 0, tag: 'old' },
    ],
    annotations: { 'team.example/oncall': 'bob' },
  };
  await chat.meddle(({ annotations }) => ({
    ...theirs,
    annotations: { ...annotations, ...theirs.annotations },
  }));
  const seen = async () => {
    const { template, annotations, traffic } = await chat.live();
    return {
      env: template.env['THEIR_SETTING'],
      labels: template.labels,
      oncall: annotations['team.example/oncall'],
      tags: traffic.filter(({ tag }) => tag === 'old'),
    };
  };
  const before = await seen();
  expect(before).toMatchObject({ env: 'kept', labels: { team: 'chat' }, oncall: 'bob' });
  const bad = await chat.deploy({ patch: { env: { FAILS: '/post' } } });
  expect(bad).toMatchObject({ exitCode: 13, rolledBack: true });
  expect(await seen()).toEqual(before);
  expect(await chat.serves()).toBe(serving);
  const good = await chat.deploy({ patch: { env: { VERSION: '3' } } });
  expect(good).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(await seen()).toEqual(before);
  expect(await chat.serves()).toBe(good.service.revision);
  // What Sluice set and the config no longer names is gone; theirs is not.
  expect((await chat.live()).template.env).toEqual({ VERSION: '3', THEIR_SETTING: 'kept' });
});

test.concurrent('a second deploy of the same service is told who holds the lock', async () => {
  const chat = stand.subject('locked');
  let second: Promise<unknown> | undefined;
  const outcome = await chat.deploy({
    on: (event) => {
      if (event.type === 'stage.started' && event.stage === 'startup') {
        second = chat.deploy().catch((error: unknown) => error);
      }
    },
  });
  expect(outcome.exitCode).toBe(0);
  expect(await second).toMatchObject({
    exitCode: 17,
    message: expect.stringMatching(/locked by anna@example\.com.*sluice deploy staging/),
  });
});
