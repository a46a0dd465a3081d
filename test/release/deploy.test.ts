import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { releaseDocument } from '../../src/report/json.ts';
import { summaryLines } from '../../src/report/summary.ts';
import { plainTheme } from '../../src/terminal/theme.ts';
import { answer, call, httpCheck, openStand, type Stand, soundness } from './kit.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

test.concurrent('a first deploy is closed until it is checked, then opened', async () => {
  const chat = stand.subject('first');
  const asked: Promise<string | number>[] = [];
  const outcome = await chat.deploy({
    on: (event) => {
      if (event.type === 'stage.started' && event.stage === 'checks') asked.push(chat.serves());
    },
  });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 0, rolledBack: false, verdict: 'ready', told: '[null,[]]' });
  expect(await Promise.all(asked)).toEqual([403]);
  expect(await chat.serves()).toBe(outcome.service.revision);
  const live = await chat.live();
  expect(live.traffic).toEqual([{ revision: outcome.service.revision, percent: 100 }]);
  expect(live).toMatchObject({ public: true });
  expect(await chat.revisions()).toEqual([outcome.service.revision]);
});

test.concurrent('a first deploy that fails stays closed and says so; the next one works', async () => {
  const chat = stand.subject('first-fails');
  const failed = await chat.deploy({ patch: { env: { FAILS: '/candidate' } } });
  expect(soundness(failed)).toEqual([]);
  expect(failed).toMatchObject({ exitCode: 13, rolledBack: false, verdict: 'blocked' });
  expect(failed.service.stages.restore?.note).toMatch(/stays closed/);
  expect(await chat.serves()).toBe(403);

  const crashed = await chat.deploy({ patch: { env: { START: 'exit-3' } } });
  expect(soundness(crashed)).toEqual([]);
  expect(crashed).toMatchObject({ exitCode: 12 });
  expect(await chat.serves()).toBe(403);

  const next = await chat.deploy();
  expect(next).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(soundness(next)).toEqual([]);
  expect(await chat.serves()).toBe(next.service.revision);
});

test.concurrent('a first deploy that never starts is followed by one that works', async () => {
  const chat = stand.subject('first-crashes');
  const failed = await chat.deploy({ patch: { env: { START: 'exit-3' } } });
  expect(soundness(failed)).toEqual([]);
  expect(failed).toMatchObject({ exitCode: 12, rolledBack: false });
  expect(failed.told).toMatch(/exit code 3/);
  expect((await chat.live()).public).toBe(false);
  const next = await chat.deploy();
  expect(next).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(await chat.serves()).toBe(next.service.revision);
});

test.concurrent('an update is a tagged candidate beside what serves until everything has passed', async () => {
  const chat = stand.subject('update');
  const first = await chat.deploy();
  const seen: Promise<unknown>[] = [];
  const look = async (): Promise<unknown> => {
    const live = await chat.live();
    const tagged = live.actualTraffic.find(({ tag }) => tag === 'candidate');
    return { service: await answer(live.uri), candidate: await answer(tagged?.uri ?? live.uri) };
  };
  const outcome = await chat.deploy({
    patch: { env: { VERSION: '2' } },
    on: (event) => {
      if (event.type === 'check.started' && event.stage === 'candidate') seen.push(look());
    },
  });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  const [old, fresh] = [first.service.revision, outcome.service.revision];
  expect(await Promise.all(seen)).toEqual([{ service: old, candidate: fresh }]);
  const live = await chat.live();
  expect(live.traffic).toEqual([{ revision: fresh, percent: 100 }]);
  expect(live.actualTraffic.map(({ tag }) => tag)).toEqual([undefined]);
  expect(live.annotations).toMatchObject({ 'sluice.dev/pin': fresh, 'sluice.dev/verified': fresh });
  expect(await chat.serves()).toBe(fresh);
});

test.concurrent('without a change nothing is written', async () => {
  const chat = stand.subject('unchanged');
  await chat.deploy();
  const before = await chat.live();
  const again = await chat.deploy();
  expect(soundness(again)).toEqual([]);
  expect(again).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(again.service.finished?.outcome).toBe('unchanged');
  const after = await chat.live();
  expect([after.generation, after.etag]).toEqual([before.generation, before.etag]);
});

test.concurrent('a failed candidate is not what the next deploy compares with', async () => {
  const chat = stand.subject('compare');
  const good = await chat.deploy();
  const bad = await chat.deploy({ patch: { env: { FAILS: '/candidate' } } });
  expect(bad).toMatchObject({ exitCode: 13, rolledBack: true });
  const same = await chat.deploy({ patch: { env: { FAILS: '/candidate' } } });
  expect(same).toMatchObject({ exitCode: 13, rolledBack: true });
  expect(await chat.serves()).toBe(good.service.revision);
  const back = await chat.deploy();
  expect(soundness(back)).toEqual([]);
  expect(back).toMatchObject({ exitCode: 0 });
});

test.concurrent('LATEST becomes a pin, and a revision that is ready but failed never serves', async () => {
  const chat = stand.subject('latest');
  const first = await chat.deploy();
  await chat.meddle(() => ({ traffic: [{ revision: 'LATEST', percent: 100 }] }));
  const bad = await chat.deploy({ patch: { env: { FAILS: '/candidate' } } });
  expect(soundness(bad)).toEqual([]);
  expect(bad).toMatchObject({ exitCode: 13, rolledBack: true });
  const live = await chat.live();
  expect(live.latestReadyRevision).toBe(bad.service.revision);
  expect(await chat.serves()).toBe(first.service.revision);
  expect(live.traffic).toEqual([
    { revision: first.service.revision, percent: 100 },
    { revision: bad.service.revision, percent: 0, tag: 'candidate' },
  ]);
});

test.concurrent('two services: one fails and is restored, the other deploys', async () => {
  const [one, two] = [stand.subject('pair-one'), stand.subject('pair-two')];
  const both = await one.deploy({ beside: [two] });
  expect(both).toMatchObject({ exitCode: 0, verdict: 'ready' });
  expect(await two.serves()).toBe(both.state.services.get('pair-two')?.revision);
  const two2 = stand.subject('pair-two', { env: { VERSION: '2' } });
  const outcome = await one.deploy({ patch: { env: { FAILS: '/candidate' } }, beside: [two2] });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 13, rolledBack: true, verdict: 'blocked' });
  const other = outcome.state.services.get('pair-two');
  expect(other?.finished).toMatchObject({ outcome: 'deployed', reason: 'done', rolledBack: false });
  expect(await two.serves()).toBe(other?.revision);
  expect(await one.serves()).toBe(both.service.revision);
  const summary = summaryLines(outcome.state, plainTheme).join('\n');
  expect(summary).toMatch(/pair-one/);
  expect(summary).toContain(other?.revision ?? 'no revision');
});

test.concurrent('two services with problems: both are told, and nothing is written', async () => {
  const one = stand.subject('blocked-one', { container: { memory: '64Mi' } });
  const two = stand.subject('blocked-two');
  const good = await two.deploy();
  await two.deploy({ patch: { env: { VERSION: '2' } } });
  await two.meddle(() => ({ traffic: [{ revision: good.service.revision ?? '', percent: 100 }] }));
  const before = await two.live();
  const outcome = await one.deploy({ beside: [stand.subject('blocked-two', { env: { VERSION: '3' } })] });
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 10, rolledBack: false });
  expect(outcome.service.preflight[0]?.what).toMatch(/would refuse .*memory/);
  const told = outcome.state.services.get('blocked-two')?.preflight[0];
  expect(told?.next).toEqual(['sluice deploy staging --take-over-traffic']);
  expect((await two.live()).etag).toBe(before.etag);
  await expect(one.live()).rejects.toThrow(/does not exist/);
});

test.concurrent('an attached Cloud SQL instance that is missing stops a deploy, and is made on the local cloud', async () => {
  const attached = stand.subject('attached', { cloudSql: ['demo:europe-west1:main'] });
  const { provision, ...asAtGoogle } = stand.connection;
  expect(provision).toBeDefined();
  const missing = await attached.deploy({ deps: { cloud: asAtGoogle } });
  expect(missing).toMatchObject({ exitCode: 10, rolledBack: false });
  expect(missing.service.preflight).toEqual([
    {
      what: 'The Cloud SQL instance demo:europe-west1:main, which attached attaches, does not exist.',
      next: [
        'gcloud sql instances create main --project demo --region europe-west1',
        'sluice deploy staging',
      ],
    },
  ]);
  const made = await attached.deploy();
  expect(made).toMatchObject({ exitCode: 0, verdict: 'ready' });
  const notes = made.events.flatMap(({ event }) => (event.type === 'notice' ? [event.note] : []));
  expect(notes).toContain('made the Cloud SQL instance demo:europe-west1:main on the local cloud');
  expect((await attached.live()).template.cloudSql).toEqual(['demo:europe-west1:main']);
});

test.concurrent('more failed revisions than are looked at do not hide the one that serves', async () => {
  const chat = stand.subject('crowd');
  const good = await chat.deploy();
  for (let number = 0; number < 52; number++) {
    await chat.meddle(() => ({
      template: {
        ...{ revision: `crowd-n${number}`, set: { image: 'images/none:1' }, annotations: {} },
        ...{
          env: { set: {}, remove: [] },
          secrets: { set: {}, remove: [] },
          labels: { set: {}, remove: [] },
        },
      },
    }));
  }
  const asked: Promise<string | number>[] = [];
  const outcome = await chat.deploy({
    patch: { env: { VERSION: '2' } },
    on: (event) => {
      if (event.type === 'stage.started' && event.stage === 'checks') asked.push(chat.serves());
    },
  });
  expect(await Promise.all(asked)).toEqual([good.service.revision]);
  expect(outcome).toMatchObject({ exitCode: 0 });
});

test.concurrent('a secret for end-to-end tests reaches the service and nothing else', async () => {
  const secret = 'staging-e2e-key-93f1c2';
  const e2e = { env: { E2E_KEY: secret }, headers: { 'x-e2e-key': `${secret}-header` } };
  const chat = stand.subject('secret', {
    e2e,
    env: e2e.env,
    checklist: [httpCheck('say', 'candidate'), httpCheck('post', 'post')],
  });
  const failing = [httpCheck('say', 'candidate'), { ...httpCheck('post', 'post', '/say'), body: secret }];
  const first = await chat.deploy();
  const second = await chat.deploy({ patch: { env: { ...e2e.env, FAILS: '/say' }, checklist: failing } });
  const heard = await stand.connection.logs.list(
    { project: 'demo', filter: `textPayload:"${secret}"`, limit: 10 },
    call,
  );
  expect(heard.length).toBeGreaterThan(0);
  expect([first.exitCode, second.exitCode]).toEqual([0, 13]);
  for (const { state, events, record } of [first, second]) {
    const out = JSON.stringify([events, record, releaseDocument(state), summaryLines(state, plainTheme)]);
    expect(out).not.toContain(secret);
    expect(out).not.toMatch(/Bearer|eyJ/);
  }
});

test.concurrent('a service that reports a phase with every request is quiet all the same', async () => {
  const chat = stand.subject('chatty', {
    env: { CHATTY: 'yes' },
    startup: { quietSeconds: 0.8, deadlineSeconds: 600 },
  });
  const outcome = await chat.deploy();
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  const told = outcome.record.events.filter(({ event }) => event.type === 'startup.phase');
  expect(told).toHaveLength(1);
});

test.concurrent('a source that cannot be packed stops before anything is written', async () => {
  const chat = stand.subject('unpackable', { build: { repository: 'images/app', timeoutSeconds: 60 } });
  mkdirSync(chat.target.sourceDir, { recursive: true });
  const empty = await chat.deploy();
  expect(empty).toMatchObject({ exitCode: 10, rolledBack: false });
  expect(empty.told).toMatch(/cannot be packed/);
  expect(soundness(empty)).toEqual([]);
  writeFileSync(join(chat.target.sourceDir, 'server.js'), '');
  await expect(chat.live()).rejects.toThrow(/does not exist/);
});
