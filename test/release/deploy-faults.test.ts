import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { connectLocal } from '../../src/cloud/connect.ts';
import type { FaultSpec } from '../../src/local/faults/fault.ts';
import { type LocalCloudOptions, startLocalCloud } from '../../src/local/server.ts';
import type { ReleaseEvent } from '../../src/release/events.ts';
import { answer, call, openStand, soundness, type TargetPatch } from './kit.ts';

vi.setConfig({ maxConcurrency: 8 });

type Method = Pick<FaultSpec, 'api' | 'method'>;
type Effect = Omit<FaultSpec, keyof Method | 'times'>;
const createService: Method = { api: 'run', method: 'CreateService' };
const updateService: Method = { api: 'run', method: 'UpdateService' };
const getService: Method = { api: 'run', method: 'GetService' };
const getRevision: Method = { api: 'run', method: 'GetRevision' };
const getOperation: Method = { api: 'operations', method: 'GetOperation' };
const waitOperation: Method = { api: 'operations', method: 'WaitOperation' };
const tailEntries: Method = { api: 'logging', method: 'TailLogEntries' };
const listEntries: Method = { api: 'logging', method: 'ListLogEntries' };

const unavailable: Effect = { code: 'UNAVAILABLE', message: 'the server is away' };
const staleEtag: Effect = {
  code: 'ABORTED',
  message: "Conflict for resource 'chat': version '1' was specified",
};
const lostReply: Effect = { dropReply: true };
const staleRead: Effect = { staleReadMs: 60_000 };
const update: TargetPatch = { env: { VERSION: '2' } };

/** A cloud of its own, because a fault strikes whoever calls. */
async function given(options: Partial<LocalCloudOptions> = {}) {
  const stand = await openStand(options);
  return { stand, chat: stand.subject('chat'), [Symbol.asyncDispose]: () => stand.close() };
}

const always = 10_000;

type Case = [name: string, faults: FaultSpec[]];

/** Calls once, at the first event that fits. */
function first(fits: (event: ReleaseEvent) => boolean, act: () => void) {
  let done = false;
  return (event: ReleaseEvent): void => {
    if (done || !fits(event)) return;
    done = true;
    act();
  };
}

/** When a fault is armed: the build is over before the log is opened, an intent stands before its write. */
const moments = {
  log: (event: ReleaseEvent) => event.type === 'build.finished',
  candidate: (event: ReleaseEvent) => event.type === 'candidate.intended',
  traffic: (event: ReleaseEvent) => event.type === 'traffic.intended',
  mark: (event: ReleaseEvent) => event.type === 'mark.intended',
};

describe('a first deploy gets over', () => {
  test.concurrent.each<Case>([
    ['a created service whose answer is lost', [{ ...createService, ...lostReply, times: 1 }]],
    ['a creation that did not happen', [{ ...createService, ...unavailable, times: 1 }]],
    ['a read from before the creation', [{ ...getService, ...staleRead, times: 2 }]],
  ])('%s', async (_name, faults) => {
    await using cloud = await given();
    const { stand, chat } = cloud;
    const outcome = await chat.deploy({
      on: first(moments.candidate, () => faults.map((each) => stand.cloud.inject(each))),
    });
    expect(outcome.told).toBe('[null,[]]');
    expect(soundness(outcome)).toEqual([]);
    expect(await chat.revisions()).toEqual([outcome.service.revision]);
    expect(await chat.serves()).toBe(outcome.service.revision);
  });
});

describe('an update gets over', () => {
  const fault = (method: Method, effect: Effect, times = 1): FaultSpec => ({ ...method, ...effect, times });
  test.concurrent.each<[name: string, at: keyof typeof moments, faults: FaultSpec[]]>([
    ['a lost answer to the candidate', 'candidate', [fault(updateService, lostReply)]],
    ['a candidate write that did not happen', 'candidate', [fault(updateService, unavailable)]],
    ['a stale etag for the candidate', 'candidate', [fault(updateService, staleEtag)]],
    ['stale reads after the candidate', 'candidate', [fault(getService, staleRead, 3)]],
    ['reads of the revision that fail', 'candidate', [fault(getRevision, unavailable, 3)]],
    ['a lost answer to the traffic', 'traffic', [fault(updateService, lostReply)]],
    ['a traffic write that did not happen', 'traffic', [fault(updateService, unavailable)]],
    ['a stale etag for the traffic', 'traffic', [fault(updateService, staleEtag)]],
    ['stale reads after the traffic', 'traffic', [fault(getService, staleRead, 3)]],
    ['reads that fail for a while', 'traffic', [fault(getService, unavailable, 3)]],
    ['a lost answer to the last mark', 'mark', [fault(updateService, lostReply)]],
    [
      'operations that nobody can read',
      'candidate',
      [fault(waitOperation, unavailable, always), fault(getOperation, unavailable, always)],
    ],
    ['a log stream that is cut', 'log', [fault(tailEntries, { cutStreamAfter: 1 }, 2)]],
    ['a log stream that cannot be had', 'log', [fault(tailEntries, unavailable, always)]],
  ])('%s', async (_name, at, faults) => {
    await using cloud = await given();
    const { stand, chat } = cloud;
    const before = await chat.deploy();
    const outcome = await chat.deploy({
      patch: {
        env: { SAYS: 'phase=INIT seconds=0.1|phase=READY seconds=0.2' },
        startup: { phases: ['INIT', 'READY'] },
      },
      on: first(moments[at], () => faults.map((each) => stand.cloud.inject(each))),
    });
    expect(outcome.told).toBe('[null,[]]');
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 0 });
    expect(await chat.revisions()).toEqual([before.service.revision, outcome.service.revision]);
    expect(await chat.serves()).toBe(outcome.service.revision);
    expect(outcome.service.profile?.phases.map(({ name }) => name)).toEqual(['INIT', 'READY']);
  });
});

describe('an update stops, and what served is back, when', () => {
  test.concurrent('no log can be read: unknown blocks', async () => {
    await using cloud = await given();
    const { stand, chat } = cloud;
    const before = await chat.deploy();
    const outcome = await chat.deploy({
      patch: { ...update, startup: { deadlineSeconds: 2 } },
      on: (event) => {
        if (event.type !== 'build.finished') return;
        for (const method of [tailEntries, listEntries])
          stand.cloud.inject({ ...method, ...unavailable, times: always });
      },
    });
    expect(outcome).toMatchObject({ exitCode: 12, rolledBack: true, verdict: 'blocked' });
    expect(outcome.told).toMatch(/its log/);
    expect(soundness(outcome)).toEqual([]);
    expect(await chat.serves()).toBe(before.service.revision);
  });

  test.concurrent('the traffic does not settle in time', async () => {
    await using cloud = await given({ trafficDelayMs: 1_500 });
    const { chat } = cloud;
    const before = await chat.deploy();
    const outcome = await chat.deploy({
      patch: { ...update, rollout: { trafficDeadlineSeconds: 1 } },
    });
    expect(outcome.told).toMatch(/did not become what was asked for within 1 s/);
    // The way back takes as long as the way there: it cannot be proven in this time either.
    expect([14, 18]).toContain(outcome.exitCode);
    expect(soundness(outcome)).toEqual([]);
    while ((await chat.live()).reconciling) await sleep(50);
    expect(await chat.serves()).toBe(before.service.revision);
  });

  test.concurrent('the traffic write is refused', async () => {
    await using cloud = await given();
    const { stand, chat } = cloud;
    const before = await chat.deploy();
    const outcome = await chat.deploy({
      patch: update,
      on: (event) => {
        if (event.type === 'traffic.intended' && event.purpose === 'migrate') {
          const message = 'Permission run.services.update denied';
          stand.cloud.inject({ ...updateService, code: 'PERMISSION_DENIED', message, times: 1 });
        }
      },
    });
    expect(outcome).toMatchObject({ exitCode: 14, rolledBack: true });
    expect(outcome.told).toMatch(/Permission run.services.update denied/);
    expect(soundness(outcome)).toEqual([]);
    expect(await chat.serves()).toBe(before.service.revision);
  });

  test.concurrent('the answers to writes stay away: the outcome is unknown, and said so', async () => {
    await using cloud = await given();
    const { stand, chat } = cloud;
    const before = await chat.deploy();
    const outcome = await chat.deploy({
      patch: update,
      on: (event) => {
        if (event.type === 'traffic.intended')
          stand.cloud.inject({ ...updateService, ...unavailable, times: always });
      },
    });
    expect(outcome).toMatchObject({ exitCode: 18, rolledBack: false, verdict: 'blocked' });
    expect(outcome.service.finished?.diagnosis?.notDone.join()).toMatch(/former traffic was not restored/);
    expect(soundness(outcome)).toEqual([]);
    expect(await chat.serves()).toBe(before.service.revision);
  });
});

test.concurrent('the cloud dies in the middle: the outcome is unknown, and nothing recorded is lost', async () => {
  await using cloud = await given();
  const { stand, chat } = cloud;
  const before = await chat.deploy();
  let stopped: Promise<void> | undefined;
  const outcome = await chat.deploy({
    patch: { ...update, startup: { deadlineSeconds: 2 } },
    on: first(
      (event) => event.type === 'stage.started' && event.stage === 'startup',
      () => {
        stopped = stand.cloud.stop();
      },
    ),
  });
  await stopped;
  expect(soundness(outcome)).toEqual([]);
  expect(outcome).toMatchObject({ exitCode: 18, rolledBack: false, verdict: 'blocked' });
  expect(outcome.service.finished?.diagnosis?.notDone.join()).toMatch(/former traffic was not restored/);
  expect(outcome.service.finished?.diagnosis?.next).toContain('sluice status staging');
  expect(outcome.record.events.map(({ event }) => event.type)).toContain('candidate.intended');

  const again = await startLocalCloud({ home: stand.cloud.home, images: stand.images });
  const connection = await connectLocal({ port: again.port, project: 'demo' });
  // grpc-js remembers, process-wide, that nobody listened on this port, and backs off.
  const live = await vi.waitFor(() => connection.run.readService(chat.target.ref, call), 40_000);
  expect(live?.traffic).toContainEqual({ revision: before.service.revision, percent: 100 });
  expect(await answer(live?.uri ?? '')).toBe(before.service.revision);
  await connection.close();
  await again.stop();
});

test.concurrent('the intent of every write is in the ledger before the write arrives', async () => {
  await using cloud = await given();
  const { stand, chat } = cloud;
  await chat.deploy();
  const release = '20260101T000000-staging-abcd';
  const lastRecorded = async () => (await chat.ledger.read(release))?.events.at(-1)?.event.type;
  const looks: Promise<[string, string | undefined]>[] = [];
  const outcome = await chat.deploy({
    patch: update,
    deps: { release },
    on: ({ type }) => {
      if (!type.endsWith('.intended')) return;
      // While the write is on its way, the record already says so.
      stand.cloud.inject({ ...updateService, latencyMs: 500, times: 1 });
      looks.push(sleep(400).then(async () => [type, await lastRecorded()]));
    },
  });
  expect(outcome.exitCode).toBe(0);
  expect(await Promise.all(looks)).toEqual(
    ['candidate.intended', 'traffic.intended', 'mark.intended'].map((type) => [type, type]),
  );
});
