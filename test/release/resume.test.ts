import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Call, Cloud } from '../../src/cloud/ports/index.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Locks } from '../../src/ledger/lock.ts';
import type { DurableEvent, ReleaseEvent, Stage } from '../../src/release/events.ts';
import { allTo, openStand, type Stand, type Subject, soundness, type TargetPatch } from './kit.ts';

vi.setConfig({ maxConcurrency: 6 });

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

/** Where a process dies: at an event, before it records one, or around one of its writes (the first is 1). */
type Death =
  | { at: (event: ReleaseEvent) => boolean }
  | { recording: ReleaseEvent['type'] }
  | { before: number }
  | { after: number };

type Started = Extract<DurableEvent, { type: 'release.started' }>;

const never = new Promise<never>(() => undefined);
const unlocked: Locks = {
  acquire: async () => ({ lost: new AbortController().signal, release: async () => undefined }),
  holder: async () => undefined,
};

/** A release whose process dies as with kill -9: from then on it asks, writes and records nothing. */
async function die(chat: Subject, death: Death, patch: TargetPatch): Promise<string> {
  const id = chat.ledger.newId('staging');
  const dead = Promise.withResolvers<void>();
  const gone = new AbortController();
  let frozen = false;
  let writes = 0;
  const freeze = (): void => {
    frozen = true;
    gone.abort();
    dead.resolve();
  };
  const alive = async <T>(act: () => Promise<T>): Promise<T> => {
    if (frozen) return never;
    const value = await act();
    return frozen ? never : value;
  };
  const write = async <T>(act: () => Promise<T>): Promise<T> => {
    writes += 1;
    if ('before' in death && death.before === writes) freeze();
    const value = await alive(act);
    if ('after' in death && death.after === writes) freeze();
    return frozen ? never : value;
  };
  const { connection } = stand;
  const { run, logs } = connection;
  const mortal = ({ signal }: Call): Call => ({ signal: AbortSignal.any([signal, gone.signal]) });
  const cloud: Cloud = {
    ...connection,
    logs: {
      ...logs,
      list: (query, call) => logs.list(query, mortal(call)),
      tail: (query, call) => logs.tail(query, mortal(call)),
    },
    run: {
      ...run,
      readService: (...args) => alive(() => run.readService(...args)),
      readRevision: (...args) => alive(() => run.readRevision(...args)),
      createService: (...args) => write(() => run.createService(...args)),
      updateService: (...args) => write(() => run.updateService(...args)),
    },
  };
  const ledger: Ledger = {
    ...chat.ledger,
    begin: (release) => {
      const recorder = chat.ledger.begin(release);
      const append: typeof recorder.append = async (events) => {
        const last = events.findIndex(({ event }) => 'recording' in death && event.type === death.recording);
        if (last < 0) return alive(() => recorder.append(events));
        await recorder.append(events.slice(0, last));
        freeze();
        return never;
      };
      return { ...recorder, append };
    },
  };
  const ended = chat.deploy({
    patch,
    deps: { release: id, cloud, ledger, locks: unlocked },
    on: (event) => {
      if ('at' in death && death.at(event)) freeze();
    },
  });
  await Promise.race([dead.promise, ended]);
  if (!frozen) throw new Error('the release ended before its process died');
  return id;
}

const stage = (name: Stage) => ({
  at: (event: ReleaseEvent) => event.type === 'stage.started' && event.stage === name,
});

const next = { env: { VERSION: '2' } };

describe('a release goes on after its process died', () => {
  test.concurrent.each<[string, Death, string]>([
    ['built', { recording: 'candidate.intended' }, 'the image is built'],
    ['intended', { before: 1 }, 'the image is built'],
    ['candidate', { after: 1 }, 'is made'],
    ['checks', stage('checks'), 'is made'],
    ['traffic', { before: 2 }, 'is made'],
    ['moved', { after: 2 }, 'has 100 % of the traffic'],
    ['checklist', stage('checklist'), 'has 100 % of the traffic'],
    ['mark', { before: 3 }, 'has 100 % of the traffic'],
    ['marked', { after: 3 }, 'all was done but to say so'],
  ])('at %s', async (name, death, note) => {
    const chat = stand.subject(`on-${name}`);
    await chat.deploy();
    const id = await die(chat, death, next);
    const outcome = await chat.resume(id, { patch: next });
    expect(outcome.told).toBe('[null,[]]');
    expect(outcome).toMatchObject({ exitCode: 0, verdict: 'ready', rolledBack: false });
    expect(soundness(outcome)).toEqual([]);
    expect(outcome.service.stages.observe?.note).toContain(note);
    // The one candidate was adopted, not made again.
    const revisions = await chat.revisions();
    expect(revisions).toHaveLength(2);
    expect(await chat.serves()).toBe(revisions[1]);
    expect((await chat.live()).annotations['sluice.dev/state']).toBe('verified');
    expect(outcome.state.resumed).toMatchObject([
      { who: 'anna@example.com', command: `sluice resume ${id}` },
    ]);
    // Once more: it has ended.
    const generation = (await chat.live()).generation;
    const again = await chat.resume(id, { patch: next });
    expect(again).toMatchObject({ exitCode: 0, record: outcome.record });
    expect(again.events.map(({ event }) => 'note' in event && event.note)).toEqual([
      `release ${id} has ended already: nothing was done`,
    ]);
    expect((await chat.live()).generation).toBe(generation);
  });

  test.concurrent('of a first deploy', async () => {
    const chat = stand.subject('on-first');
    const id = await die(chat, stage('checks'), {});
    const outcome = await chat.resume(id);
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 0, told: '[null,[]]' });
    expect(await chat.serves()).toBe(outcome.service.revision);
  });

  test.concurrent('and dies again, and goes on again', async () => {
    const chat = stand.subject('on-twice');
    await chat.deploy();
    const id = await die(chat, { after: 1 }, next);
    const stopped = new AbortController();
    const interrupted = Object.assign(new Error('interrupted'), { name: 'Interrupted' });
    const outcome = await chat.resume(id, {
      patch: next,
      signal: stopped.signal,
      on: (event) => stage('checks').at(event) && stopped.abort(interrupted),
    });
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 130, rolledBack: true });
    expect(await chat.serves()).toBe((await chat.revisions())[0]);
  });
});

describe('what does not pass on resuming is taken back', () => {
  test.concurrent.each<[string, Death]>([
    ['candidate', { after: 1 }],
    ['moved', { after: 2 }],
  ])('at %s', async (name, death) => {
    const chat = stand.subject(`bad-${name}`);
    const good = await chat.deploy();
    const id = await die(chat, death, { env: { VERSION: '2', FAILS: '/post' } });
    const outcome = await chat.resume(id, { patch: { env: { VERSION: '2', FAILS: '/post' } } });
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 13, rolledBack: true });
    expect(await chat.serves()).toBe(good.service.revision);
  });

  test.concurrent.each<[string, Death]>([
    ['intended', { before: 2 }],
    ['restored', { after: 2 }],
  ])('a release that had failed already, dead at %s', async (name, death) => {
    const chat = stand.subject(`failed-${name}`);
    const good = await chat.deploy();
    const bad = { env: { FAILS: '/candidate' } };
    const id = await die(chat, death, bad);
    const outcome = await chat.resume(id, { patch: bad });
    expect(soundness(outcome)).toEqual([]);
    expect(outcome).toMatchObject({ exitCode: 13, rolledBack: true });
    expect(outcome.told).toContain('Check candidate of');
    expect(await chat.serves()).toBe(good.service.revision);
  });
});

describe('nothing is written when a release cannot go on', () => {
  async function untouched(chat: Subject, resume: () => Promise<unknown>) {
    const { generation } = await chat.live();
    const outcome = await resume();
    expect((await chat.live()).generation).toBe(generation);
    return outcome;
  }

  test.concurrent('with nothing built it ends, and says what to type', async () => {
    const chat = stand.subject('no-image');
    await chat.deploy();
    const id = await die(chat, { recording: 'build.finished' }, next);
    const outcome = await untouched(chat, () => chat.resume(id, { patch: next }));
    expect(outcome).toMatchObject({
      exitCode: 130,
      service: { finished: { outcome: 'not-started' }, preflight: [{ next: ['sluice deploy staging'] }] },
    });
  });

  test.concurrent('with another config than the one it was built for', async () => {
    const chat = stand.subject('no-config');
    await chat.deploy();
    const id = await die(chat, { recording: 'candidate.intended' }, next);
    const outcome = await untouched(chat, () => chat.resume(id, { patch: { env: { VERSION: '3' } } }));
    expect(outcome).toMatchObject({ exitCode: 10, told: expect.stringContaining('no longer become') });
  });

  test.concurrent.each<[string, Death]>([
    ['candidate', { after: 1 }],
    ['moved', { after: 2 }],
    ['failed', { after: 2 }],
  ])('of a service that somebody else has changed: %s', async (name, death) => {
    const chat = stand.subject(`theirs-${name}`);
    const good = await chat.deploy();
    const patch = name === 'failed' ? { env: { FAILS: '/candidate' } } : next;
    const id = await die(chat, death, patch);
    await chat.meddle((live) => ({ ...allTo(good.service.revision ?? '')(live), minInstances: 1 }));
    const outcome = await untouched(chat, () => chat.resume(id, { patch }));
    expect(outcome).toMatchObject({
      exitCode: 17,
      told: expect.stringContaining('Somebody else has changed'),
    });
    expect(soundness(outcome as Awaited<ReturnType<Subject['deploy']>>)).toEqual([]);
  });

  test.concurrent('of a service that a later release has taken over', async () => {
    const chat = stand.subject('theirs-release');
    await chat.deploy();
    const id = await die(chat, { after: 1 }, next);
    await chat.deploy({ patch: { env: { VERSION: '3' } } });
    expect(await untouched(chat, () => chat.resume(id, { patch: next }))).toMatchObject({ exitCode: 17 });
  });

  test.concurrent('while its process still lives', async () => {
    const chat = stand.subject('alive');
    await chat.deploy();
    let refused: unknown;
    const outcome = await chat.deploy({
      patch: next,
      deps: { release: '20261122T000000-staging-live' },
      on: (event) => {
        if (stage('checks').at(event))
          refused = chat.resume('20261122T000000-staging-live', { patch: next }).catch((error) => error);
      },
    });
    expect(outcome.exitCode).toBe(0);
    expect(await refused).toMatchObject({
      reason: 'conflict',
      message: expect.stringContaining('locked by anna@example.com since'),
    });
  });

  test.concurrent('with a record that was damaged, or none', async () => {
    const chat = stand.subject('damaged');
    await chat.deploy();
    const id = await die(chat, { after: 1 }, next);
    await expect(chat.resume('20261122T000000-staging-none')).rejects.toMatchObject({ reason: 'usage' });
    const segment = join(chat.ledgerFolder, 'releases', id, '000002.ndjson');
    await writeFile(segment, '{"v":1,"rel');
    await expect(untouched(chat, () => chat.resume(id, { patch: next }))).rejects.toMatchObject({
      reason: 'conflict',
      message: expect.stringContaining('has been damaged'),
    });
  });

  test.concurrent('of a rollback, which is typed again, and of a release on another cloud', async () => {
    const chat = stand.subject('others');
    await chat.deploy();
    const begin = async (id: string, started: Partial<Started>) => {
      const event: Started = {
        ...{ type: 'release.started', runbook: 'deploy', environment: 'staging', cloud: 'local' },
        ...{ services: ['others'], who: 'ada', commit: null, dirty: false, sluice: '0.0.0' },
        ...started,
      };
      await chat.ledger.begin(id).append([{ v: 1, release: id, seq: 0, at: '2026-11-22T00:00:00Z', event }]);
      return untouched(chat, () => chat.resume(id));
    };
    const command = 'sluice rollback staging --to others-r1';
    await expect(begin('20261122T000000-staging-back', { runbook: 'rollback', command })).rejects.toThrow(
      `→ ${command}`,
    );
    await expect(begin('20261122T000000-staging-away', { cloud: 'google' })).rejects.toThrow(
      'ran on Google Cloud',
    );
  });
});
