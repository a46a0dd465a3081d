import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Cloud, ServiceEdit } from '../../src/cloud/ports/index.ts';
import type { FaultSpec } from '../../src/local/faults/fault.ts';
import { readMarks } from '../../src/plan/marks.ts';
import type { ReleaseEvent, Stage } from '../../src/release/events.ts';
import { releaseDocument, releaseDocumentSchema } from '../../src/report/json.ts';
import { summaryLines } from '../../src/report/summary.ts';
import { plainTheme } from '../../src/terminal/theme.ts';
import {
  allTo,
  httpCheck,
  type Outcome,
  openStand,
  type Stand,
  type Subject,
  soundness,
  type TargetPatch,
} from './kit.ts';

vi.setConfig({ maxConcurrency: 8 });

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

type History = { chat: Subject; names: string[] };

/** A service that was deployed so many times; its revisions, oldest first. */
async function deployed(service: string, patches: TargetPatch[] = [{}, {}]): Promise<History> {
  const chat = stand.subject(service);
  const names: string[] = [];
  for (const [index, patch] of patches.entries()) {
    const outcome = await chat.deploy({ patch: { env: { VERSION: String(index) }, ...patch } });
    expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
    names.push(outcome.service.revision ?? '');
  }
  return { chat, names };
}

const marksOf = async (chat: Subject) => readMarks((await chat.live()).annotations);
const tagsOf = async (chat: Subject) => (await chat.live()).traffic.flatMap(({ tag }) => tag ?? []);
const stage = (name: Stage) => (event: ReleaseEvent) =>
  event.type === 'stage.started' && event.stage === name;

/** The connection with every write counted. */
function counting(cloud: Cloud): { cloud: Cloud; edits: ServiceEdit[] } {
  const edits: ServiceEdit[] = [];
  const updateService: Cloud['run']['updateService'] = (live, edit, call) => {
    edits.push(edit);
    return cloud.run.updateService(live, edit, call);
  };
  return { edits, cloud: { ...cloud, run: { ...cloud.run, updateService } } };
}

test.concurrent('goes back, proven and checked, and holds it until it is lifted', async () => {
  const { chat, names } = await deployed('back');
  const [one = '', two = ''] = names;
  await chat.meddle(({ traffic }) => ({ traffic: [...traffic, { revision: two, percent: 0, tag: 'blue' }] }));
  const outcome = await chat.rollback();
  expect(outcome.told).toBe('[null,[]]');
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 0, verdict: 'ready', rolledBack: false });
  expect(outcome.service.rollback).toMatchObject({ from: two, to: one, skipped: [], acceptedRisks: [] });
  expect(outcome.service.proof).toMatchObject({ revision: one, answers: 2 });
  expect(outcome.service.checks.map(({ id, status }) => `${id} ${status}`)).toEqual([
    'candidate passed',
    'post passed',
  ]);
  expect(outcome.state.started?.reason).toBe('it is broken');
  expect(await chat.serves()).toBe(one);
  expect(await tagsOf(chat)).toEqual(['blue']);
  expect(await marksOf(chat)).toMatchObject({
    ...{ state: 'verified', release: outcome.id, pin: one, verified: one },
    hold: { release: outcome.id, reason: 'it is broken', who: 'anna@example.com' },
  });
  const told = summaryLines(outcome.state, plainTheme).join('\n');
  expect(told).toContain(`✔ back is rolled back to ${one} in staging`);
  expect(told).toContain('→ sluice unpin staging');
  const document = releaseDocumentSchema.parse(releaseDocument(outcome.state));
  expect(document.services[0]).toMatchObject({
    revision: one,
    rollback: { from: two, to: one },
    hold: { state: 'placed' },
  });

  const refused = await chat.deploy({ patch: { env: { VERSION: '3' } } });
  expect(refused).toMatchObject({ exitCode: 10 });
  expect(refused.service.preflight).toEqual([
    {
      what: expect.stringMatching(
        `The traffic of back is held on ${one} by anna@example.com since .*: it is broken`,
      ),
      why: expect.any(String),
      next: ['sluice unpin staging'],
    },
  ]);
  expect(await chat.serves()).toBe(one);

  const before = await chat.live();
  const lifted = await chat.unpin();
  expect(lifted).toMatchObject({ exitCode: 0, verdict: 'ready', told: '[null,[]]' });
  expect(soundness(lifted)).toEqual([]);
  expect(lifted.service.hold).toMatchObject({ state: 'lifted', hold: { reason: 'it is broken' } });
  expect((await chat.live()).traffic).toEqual(before.traffic);
  expect(await marksOf(chat)).toMatchObject({ hold: null, release: outcome.id, state: 'verified' });
  const again = await chat.unpin();
  expect(again).toMatchObject({ exitCode: 0, service: { finished: { outcome: 'unchanged' }, writes: 0 } });

  const next = await chat.deploy({ patch: { env: { VERSION: '3' } } });
  expect(next).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  // What was rolled back is not gone back to.
  const back = await chat.rollback();
  expect(back.service.rollback?.to).toBe(one);
});

test.concurrent('--now takes two writes in all, proves who answers, and says what it skipped', async () => {
  const { chat, names } = await deployed('now');
  const { cloud, edits } = counting(stand.connection);
  const outcome = await chat.rollback({ now: true, deps: { cloud } });
  expect(outcome).toMatchObject({ exitCode: 0, verdict: 'ready', told: '[null,[]]' });
  expect(soundness(outcome)).toEqual([]);
  expect(edits).toHaveLength(2);
  expect(edits[0]?.traffic).toEqual([{ revision: names[0], percent: 100 }]);
  expect(edits[1]?.traffic).toBeUndefined();
  expect(outcome.service.proof).toMatchObject({ revision: names[0] });
  const { warm, startup, checks, checklist, traffic } = outcome.service.stages;
  expect([warm, startup, checks, checklist].map((each) => each?.outcome)).toEqual(Array(4).fill('skipped'));
  expect(traffic?.outcome).toBe('done');
  expect(summaryLines(outcome.state, plainTheme).join('\n')).toMatch(/skipped +the warming, .*\(--now\)/);
  expect(await marksOf(chat)).toMatchObject({ verified: names[0], hold: { release: outcome.id } });
});

test.concurrent('a revision that no record knows is held, and not called verified after --now', async () => {
  const { chat } = await deployed('unknown', [{}]);
  const revision = 'unknown-theirs';
  await chat.meddle(() => ({
    template: {
      ...{ revision, set: {}, annotations: {}, env: { set: { THEIRS: '1' }, remove: [] } },
      ...{ secrets: { set: {}, remove: [] }, labels: { set: {}, remove: [] } },
    },
  }));
  const outcome = await chat.rollback({ to: revision, now: true });
  expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(await chat.serves()).toBe(revision);
  expect(await marksOf(chat)).toMatchObject({ verified: null, hold: { release: outcome.id } });
});

test.concurrent('--to a release goes to its revision; to what serves already nothing is written', async () => {
  const { chat, names } = await deployed('to', [{}, {}, {}]);
  const releases = (
    await chat.ledger.releases({ environment: 'staging', service: 'to', limit: 9 })
  ).toReversed();
  const outcome = await chat.rollback({ to: releases[0]?.id });
  expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(await chat.serves()).toBe(names[0]);
  const same = await chat.rollback({ to: names[0] });
  expect(same).toMatchObject({ exitCode: 0, service: { finished: { outcome: 'unchanged' }, writes: 0 } });
});

test.concurrent('without records nothing is guessed: exit 2, and the revisions to choose from', async () => {
  const { chat, names } = await deployed('machines');
  const elsewhere = stand.subject('machines-elsewhere').ledger;
  const outcome = await chat
    .rollback({ deps: { ledger: elsewhere, release: elsewhere.newId('staging') } })
    .catch((error: unknown) => error);
  // The record lies in the other machine's ledger.
  expect(String(outcome)).toMatch(/left no record/);
  const [release] = await elsewhere.releases({ environment: 'staging', limit: 1 });
  expect(release).toMatchObject({ exitCode: 2, services: [{ outcome: 'not-started' }] });
  const record = await elsewhere.read(release?.id ?? '');
  expect(JSON.stringify(record?.events)).toContain(`sluice rollback staging --to ${names[0]}   # made `);
  expect(await chat.serves()).toBe(names[1]);
});

describe('what fails leaves what served, proven', () => {
  // One service for all: each failure leaves it as it was.
  let history: History;
  beforeAll(async () => {
    history = await deployed('kept', [{ env: { FAILS: '/extra' } }, {}]);
  });

  const kept = async (outcome: Outcome, exitCode: number, { chat, names } = history) => {
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode, verdict: 'blocked' });
    expect(await chat.serves()).toBe(names.at(-1));
    expect(await tagsOf(chat)).toEqual([]);
    expect((await marksOf(chat)).hold).toBeNull();
  };

  test('a revision that is gone', async () => {
    const { run } = stand.connection;
    const [gone] = history.names;
    const cloud: Cloud = {
      ...stand.connection,
      run: {
        ...run,
        listRevisions: async (...args) =>
          (await run.listRevisions(...args)).filter(({ name }) => name !== gone),
        readRevision: async (ref, name, call) =>
          name === gone ? undefined : run.readRevision(ref, name, call),
      },
    };
    const outcome = await history.chat.rollback({ deps: { cloud } });
    await kept(outcome, 10);
    expect(outcome.told).toMatch(`Revision ${gone} no longer exists`);
    expect(outcome.service.writes).toBe(0);
  });

  test.each<[string, 'candidate' | 'post']>([
    ['on its own URL', 'candidate'],
    ["on the service's URL", 'post'],
  ])('a check %s', async (_, when) => {
    const [one] = history.names;
    const outcome = await history.chat.rollback({ patch: { checklist: [httpCheck('extra', when)] } });
    await kept(outcome, 13);
    expect(outcome).toMatchObject({ rolledBack: true });
    const moved = outcome.service.trafficHistory.some(({ actual }) => actual[0]?.revision === one);
    expect(moved).toBe(when === 'post');
    expect(outcome.told).toContain(`sluice rollback staging --to ${one} --now   # skips`);
    const told = summaryLines(outcome.state, plainTheme).join('\n');
    expect(told).toMatch(/was not rolled back[\s\S]*restored, proven by 2 answers/);
  });

  test('--now that nobody answers for', async () => {
    const patch: TargetPatch = {
      rollout: { identity: { path: '/health', field: 'nothing' }, trafficDeadlineSeconds: 1 },
    };
    const outcome = await history.chat.rollback({ now: true, patch });
    // The same field is what proves the restored traffic: nobody knows who answers.
    await kept(outcome, 18);
    expect(outcome.told).toMatch(/not proven/);
  });

  test.each<[string, (event: ReleaseEvent) => boolean, boolean]>([
    ['observe', stage('observe'), false],
    ['warm', (event) => event.type === 'traffic.observed' && event.purpose === 'warm', true],
    ['startup', stage('startup'), true],
    ['traffic', (event) => event.type === 'traffic.observed' && event.purpose === 'rollback', true],
    ['mark', (event) => event.type === 'mark.intended', true],
  ])('Ctrl-C at %s', async (_, fits, wrote) => {
    const stop = new AbortController();
    const outcome = await history.chat.rollback({
      signal: stop.signal,
      on: (event) => {
        if (fits(event)) stop.abort(Object.assign(new Error('interrupted'), { name: 'Interrupted' }));
      },
    });
    await kept(outcome, 130);
    expect(outcome).toMatchObject({ rolledBack: wrote });
  });

  test.concurrent('a revision that no longer starts', async () => {
    const flag = join(stand.folder, 'a-dependency-is-gone');
    const dead = await deployed('dead', [{ env: { GONE_IF: flag } }, {}]);
    await stopInstance(dead.chat, dead.names[0] ?? '');
    writeFileSync(flag, '');
    const outcome = await dead.chat.rollback();
    await kept(outcome, 12, dead);
    expect(outcome).toMatchObject({ rolledBack: true });
    expect(outcome.told).toMatch(/exit(\(5\)| code 5)/);
    expect(outcome.service.finished?.diagnosis?.notDone).toContain('the traffic was not moved');
  });
});

test.concurrent('a fresh start is read as in a deploy', async () => {
  const says = 'phase=INIT seconds=0.1|phase=READY seconds=0.2';
  const patch: TargetPatch = { startup: { phases: ['INIT', 'READY'] } };
  const one = { ...patch, env: { SAYS: says } };
  const { chat, names } = await deployed('fresh', [one, { ...patch, env: { SAYS: says, VERSION: '2' } }]);
  await stopInstance(chat, names[0] ?? '');
  const outcome = await chat.rollback({ patch });
  expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(outcome.service.stages.startup?.note).toBe('Ready, 2 phases completed');
  expect(outcome.service.profile?.phases.map(({ name }) => name)).toEqual(['INIT', 'READY']);
});

/** Its next request starts another one. */
async function stopInstance(chat: Subject, revision: string): Promise<void> {
  const { traffic } = await chat.live();
  await chat.meddle(() => ({ traffic: [...traffic, { revision, percent: 0, tag: 'stop' }] }));
  await vi.waitFor(async () => {
    const uri = (await chat.live()).actualTraffic.find(({ tag }) => tag === 'stop')?.uri;
    if (!uri) throw new Error('not routed yet');
    await fetch(new URL('/die', uri)).catch(() => undefined);
  });
  await chat.meddle(() => ({ traffic }));
  await vi.waitFor(async () => expect((await chat.live()).actualTraffic).toHaveLength(traffic.length));
}

test.concurrent("somebody else's change in the middle stops it and stays theirs", async () => {
  const { chat, names } = await deployed('theirs', [{}, {}, {}]);
  let acted: Promise<void> | undefined;
  const outcome = await chat.rollback({
    on: (event) => {
      if (stage('checks')(event)) acted = chat.meddle(allTo(names[0] ?? ''));
    },
  });
  await acted;
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 17, rolledBack: false });
  expect(await chat.serves()).toBe(names[0]);
  const next = await chat.rollback({ to: names[1] });
  expect(next).toMatchObject({ exitCode: 10 });
  expect(next.service.preflight[0]?.next).toEqual([
    `sluice rollback staging --to ${names[1]} --take-over-traffic`,
  ]);
  const taken = await chat.rollback({ to: names[1], takeOverTraffic: true });
  expect(taken).toMatchObject({ exitCode: 0, told: '[null,[]]' });
});

test.concurrent('a rollback to a part of a split that fails leaves the split and its tags', async () => {
  const { chat, names } = await deployed('split', [{ env: { FAILS: '/extra' } }, {}]);
  const [one = '', two = ''] = names;
  const split = [
    { revision: one, percent: 60 },
    { revision: two, percent: 40 },
    { revision: one, percent: 0, tag: 'blue' },
    { revision: two, percent: 0, tag: 'green' },
  ];
  await chat.meddle(() => ({ traffic: split }));
  expect(await chat.rollback()).toMatchObject({ exitCode: 2 });
  const outcome = await chat.rollback({
    ...{ to: one, takeOverTraffic: true },
    patch: { checklist: [httpCheck('extra', 'post')] },
  });
  expect(outcome).toMatchObject({ exitCode: 13, rolledBack: true });
  expect((await chat.live()).traffic).toEqual(split);
  expect(outcome.service.proof?.from?.every(({ revision }) => names.includes(revision))).toBe(true);
});

test.concurrent('a rollback whose process died after the move is not undone by the next deploy', async () => {
  const { chat, names } = await deployed('died');
  const moved = Promise.withResolvers<void>();
  const { run } = stand.connection;
  void chat.rollback({
    deps: {
      // Nothing is heard of it after the move: as a killed process.
      cloud: {
        ...stand.connection,
        run: {
          ...run,
          readService: (...args) => (asleep ? new Promise(() => undefined) : run.readService(...args)),
        },
      },
      locks: {
        acquire: async () => ({ lost: new AbortController().signal, release: async () => undefined }),
        holder: async () => undefined,
      },
    },
    on: (event) => {
      if (event.type !== 'hold.placed') return;
      asleep = true;
      moved.resolve();
    },
  });
  let asleep = false;
  await moved.promise;
  expect(await chat.deploy({ patch: { env: { VERSION: '3' } } })).toMatchObject({ exitCode: 10 });
  expect(await chat.unpin()).toMatchObject({ exitCode: 0 });
  const outcome = await chat.deploy({ patch: { env: { FAILS: '/post' } } });
  expect(outcome).toMatchObject({ exitCode: 13, rolledBack: true });
  expect(outcome.service.plan?.formerTraffic).toEqual([{ revision: names[0], percent: 100 }]);
  expect(await chat.serves()).toBe(names[0]);
});

describe('several services', () => {
  test.concurrent('that one release brought go back together', async () => {
    const chat = stand.subject('together-chat');
    const api = (VERSION: string) => stand.subject('together-api', { env: { VERSION } });
    const first = await chat.deploy({ beside: [api('1')] });
    await chat.deploy({ patch: { env: { VERSION: '2' } }, beside: [api('2')] });
    const outcome = await chat.rollback({ beside: [api('2')] });
    expect(outcome).toMatchObject({ exitCode: 0, verdict: 'ready' });
    expect(await chat.serves()).toBe(first.service.revision);
    expect(await api('1').serves()).toBe(first.state.services.get('together-api')?.revision);
  });

  test.concurrent('that come from different ones are refused, with a command for each', async () => {
    const chat = stand.subject('apart-chat');
    const api = stand.subject('apart-api');
    const first = await chat.deploy({ beside: [api] });
    await chat.deploy({
      patch: { env: { VERSION: '2' } },
      beside: [stand.subject('apart-api', { env: { VERSION: '2' } })],
    });
    await chat.deploy({
      patch: { env: { VERSION: '3' } },
      beside: [stand.subject('apart-api', { env: { VERSION: '2' } })],
    });
    const outcome = await chat.rollback({ beside: [api] });
    expect(outcome).toMatchObject({ exitCode: 2 });
    expect(outcome.service.preflight[0]?.next).toEqual([
      expect.stringMatching(/^sluice rollback staging --service apart-chat --to apart-chat-/),
      `sluice rollback staging --service apart-api --to ${first.state.services.get('apart-api')?.revision}`,
    ]);
  });
});

test.concurrent('behind a schema that is not backwards compatible only with the risk accepted', async () => {
  const schema = { version: '12', note: 'drops users.name', backwardsCompatible: false };
  const { chat, names } = await deployed('schema', [
    { schema: { version: '11' } },
    { schema },
    { schema: { version: '12' } },
  ]);
  const near = await chat.rollback({ now: true });
  expect(near).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  const refused = await chat.rollback();
  expect(refused).toMatchObject({ exitCode: 10 });
  expect(refused.service.preflight).toEqual([
    expect.objectContaining({
      what: `${names[0]} is older than a database schema that is not backwards compatible: 12 (drops users.name).`,
      next: [`sluice rollback staging --to ${names[0]} --accept-schema-risk`],
    }),
  ]);
  expect(await chat.serves()).toBe(names[1]);
  const accepted = await chat.rollback({ acceptSchemaRisk: true });
  expect(accepted).toMatchObject({ exitCode: 0, told: '[null,[]]' });
  expect(accepted.service.rollback?.acceptedRisks).toEqual([schema]);
  expect(summaryLines(accepted.state, plainTheme).join('\n')).toContain(
    'older than 12 (drops users.name): the risk was accepted',
  );
});

test.concurrent('lost answers and stale reads: each write takes effect once', async () => {
  await using own = await faulty();
  const { cloud, chat, names } = own;
  const strike = (method: string, effect: Partial<FaultSpec>) =>
    cloud.inject({ api: 'run', method, ...effect, times: 1 });
  for (const purpose of ['warm', 'rollback', 'mark']) {
    const outcome = await chat.rollback({
      to: names.find((name) => name !== names.at(-1)),
      on: (event) => {
        const now =
          event.type === 'traffic.intended' ? event.purpose : event.type === 'mark.intended' ? 'mark' : '';
        if (now === purpose) strike('UpdateService', { dropReply: true });
        if (now === purpose) strike('GetService', { staleReadMs: 60_000 });
      },
    });
    expect(outcome.told).toBe('[null,[]]');
    expect(soundness(outcome)).toEqual([]);
    expect(outcome.exitCode).toBe(0);
    expect(await marksOf(chat)).toMatchObject({ state: 'verified', hold: { release: outcome.id } });
    names.reverse();
  }
});

/** A cloud of its own, because a fault strikes whoever calls. */
async function faulty() {
  const own = await openStand();
  const chat = own.subject('lost');
  const one = await chat.deploy();
  const two = await chat.deploy({ patch: { env: { VERSION: '2' } } });
  const names = [one.service.revision ?? '', two.service.revision ?? ''];
  return { cloud: own.cloud, chat, names, [Symbol.asyncDispose]: () => own.close() };
}
