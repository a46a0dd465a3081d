import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Target } from '../../src/config/target.ts';
import { folderStore } from '../../src/ledger/folder-store.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { openLocks } from '../../src/ledger/lock.ts';
import { openStatements, type Signature } from '../../src/ledger/statements.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { DurableEvent } from '../../src/release/events.ts';
import { readRecorded } from '../../src/release/recorded-status.ts';
import type { ServiceStatus } from '../../src/release/status.ts';
import { image, sampleTarget } from '../plan/samples.ts';

const made = '20261101T000000-staging-made';
const digest = 'sha256:abc';

const target = {
  ...{ key: 'chat', environment: 'staging', cloud: 'local' },
  ref: { project: 'demo', region: 'europe-west1', service: 'chat' },
} as Target;

const status: ServiceStatus = {
  ...{ service: 'chat', environment: 'staging', newestRelease: null, unfinishedRelease: null, hold: null },
  live: {
    ...{ url: '', ready: true, conditions: [], desired: [], pin: 'own', revision: 'chat-r1', digest },
    ...{ madeBy: made, createdAt: '', verified: true, public: true, latestReady: 'chat-r2' },
    actual: [
      { revision: 'chat-r1', percent: 100 },
      { revision: 'chat-r2', percent: 0, tag: 'candidate', uri: 'https://candidate---chat' },
    ],
  },
};

const started: DurableEvent = {
  ...{ type: 'release.started', runbook: 'deploy', environment: 'staging', cloud: 'local' },
  ...{ services: ['chat'], who: 'ada', commit: '0123456', dirty: false, sluice: '0.1.0' },
};
const finished: DurableEvent = {
  ...{ type: 'release.finished', outcome: 'succeeded', exitCode: 0, rolledBack: false },
  verdict: { decision: 'pending', conditions: [] },
};
const question: DurableEvent = {
  type: 'check.finished',
  service: 'chat',
  result: {
    ...{ id: 'french', kind: 'manual', stage: 'post', status: 'pending', reason: 'nobody has answered' },
    ...{ required: true, attempts: 1, durationMs: 0, evidence: [] },
  },
};

async function open() {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-status-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = folderStore(folder);
  const now = () => new Date();
  const records = {
    ledger: openLedger(store, { now, random: Math.random }),
    locks: openLocks(store, { now, host: 'laptop', pid: 1 }),
    statements: openStatements(store),
  };
  const record = (id: string, events: DurableEvent[]) =>
    records.ledger
      .begin(id)
      .append(events.map((event, seq) => ({ v: 1, release: id, seq, at: '2026-11-01T00:00:00Z', event })));
  const read = () => readRecorded(target, status, 'sluice deploy staging --local --service chat', records);
  return { ...records, store, record, read };
}

test('a revision that gcloud made, with the annotations of ours, is not taken for ours', async () => {
  const { record, read } = await open();
  const plan = makePlan({
    ...{ target: sampleTarget(), live: undefined, revisions: [], takeOverTraffic: true, source: null },
    ...{ image: { from: 'given', reference: image }, revisionSuffix: 'r0', command: 'sluice deploy staging' },
  });
  await record(made, [started, { type: 'plan.made', service: 'chat', plan }, finished]);
  expect((await read()).made).toBeNull();
});

test('the release that made what serves tells its commit and verdict, and what waits for a person', async () => {
  const { record, read, statements } = await open();
  await record(made, [started, question, finished]);
  const kept = { what: expect.stringContaining('chat-r2 is kept for a look'), next: null };
  expect(await read()).toEqual({
    made: {
      ...{ release: made, who: 'ada', commit: '0123456', dirty: false, verdict: 'pending', intact: true },
    },
    lastRelease: expect.objectContaining({ id: made, outcome: 'succeeded' }),
    lock: null,
    open: [
      {
        what: 'the check french waits for a person',
        next: 'sluice sign staging french --local --service chat --note "…"',
      },
      kept,
    ],
  });
  const signature: Omit<Signature, 'revision'> = {
    ...{ environment: 'staging', service: 'chat', item: 'french', note: '', at: '', digest },
    ...{ v: 1, outcome: 'passed', by: { git: 'ada', account: '' } },
  };
  await statements.sign({ ...signature, revision: 'chat-r0' });
  expect((await read()).open).toHaveLength(2);
  await statements.sign({ ...signature, revision: 'chat-r1' });
  expect((await read()).open).toEqual([kept]);
});

test('an unfinished release is at work while it holds the lock, and to be resumed when it does not', async () => {
  const { record, read, locks } = await open();
  const id = '20261102T000000-staging-dead';
  await record(id, [started]);
  const claim = { who: 'ada', why: 'sluice deploy staging', release: id, leaseMs: 60_000 };
  const lock = await locks.acquire(target.ref, claim);
  const working = await read();
  expect(working.lock).toMatchObject({ who: 'ada', why: 'sluice deploy staging', release: id });
  expect(working.open.map(({ next }) => next)).toEqual([null]);
  await lock.release();
  expect((await read()).open[0]).toEqual({
    what: `release ${id} has not finished`,
    next: `sluice resume ${id} --local`,
  });
});

test('a damaged record, and a ledger that cannot be read, are told beside what is live', async () => {
  const { record, read, store } = await open();
  await record(made, [started, finished]);
  await store.create(`releases/${made}/000002.ndjson`, Buffer.from('{"v":1,'));
  expect((await read()).open[0]).toEqual({
    what: `the record of ${made} has been damaged`,
    next: 'sluice ledger verify --local',
  });
  const broken = { ...(await open()) };
  broken.ledger.releases = async () => {
    throw new Error('no such bucket');
  };
  const told = await readRecorded(target, status, 'sluice deploy staging', broken);
  expect(told.open).toEqual([{ what: 'the ledger cannot be read: no such bucket', next: null }]);
});
