import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { folderStore } from '../../src/ledger/folder-store.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { environmentOf, newReleaseId } from '../../src/ledger/release-id.ts';
import type { DurableEvent, Stamped } from '../../src/release/events.ts';
import { exitOf, freshFolder, runFixture } from './processes.ts';

const clock = { now: () => new Date('2026-11-22T02:31:05.123Z'), random: () => 0.5 };
const ledgerIn = (folder: string): Ledger => openLedger(folderStore(folder), clock);

function stamped(release: string, events: DurableEvent[], from = 1): Stamped<DurableEvent>[] {
  return events.map((event, index) => ({
    v: 1,
    release,
    seq: from + index,
    at: '2026-11-22T02:31:06Z',
    event,
  }));
}

function started(environment: string, services: string[]): DurableEvent {
  const rest = { cloud: 'local', who: 'ada', commit: null, dirty: false, sluice: '0.1.0' } as const;
  return { type: 'release.started', runbook: 'deploy', environment, services, ...rest };
}

const finished: DurableEvent = {
  type: 'release.finished',
  outcome: 'failed',
  exitCode: 12,
  rolledBack: true,
  verdict: { decision: 'blocked', conditions: [] },
};

const built: DurableEvent = {
  type: 'build.finished',
  service: 'chat',
  outcome: 'succeeded',
  image: 'repo/chat',
  digest: 'sha256:abc',
  seconds: 3,
  detail: '',
  tail: [],
};

test('ids sort by time and name their environment', () => {
  const environment = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  const second = fc.integer({ min: 0, max: 4_000_000_000 });
  fc.assert(
    fc.property(
      environment,
      second,
      second,
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (name, one, other, random) => {
        const ids = [one, other].map((at) => newReleaseId(name, new Date(at * 1000), () => random));
        expect(ids.map(environmentOf)).toEqual([name, name]);
        if (one < other) expect(ids.toSorted()).toEqual(ids);
      },
    ),
  );
  expect(newReleaseId('staging', clock.now(), clock.random)).toBe('20261122T023105-staging-i000');
});

test('what is appended is read back, in order, over several segments', async () => {
  const ledger = ledgerIn(await freshFolder());
  const id = ledger.newId('staging');
  const events = stamped(id, [started('staging', ['chat']), built, finished]);
  const recorder = ledger.begin(id);
  await Promise.all([
    recorder.append(events.slice(0, 2)),
    recorder.append([]),
    recorder.append(events.slice(2)),
  ]);
  expect(await ledger.read(id)).toMatchObject({ id, events, problems: [], intact: true, chained: true });
  expect(await ledger.read('20261122T023105-staging-zzzz')).toBeUndefined();
  expect(await ledger.read('../../etc')).toBeUndefined();
});

test('what is appended while a segment is written shares the next one', async () => {
  const folder = await freshFolder();
  const ledger = ledgerIn(folder);
  const id = ledger.newId('staging');
  const events = stamped(
    id,
    Array.from({ length: 50 }, () => built),
  );
  const recorder = ledger.begin(id);
  const [first] = events;
  if (!first) throw new Error('fifty events');
  await recorder.append([first]);
  await Promise.all(events.slice(1).map((event) => recorder.append([event])));
  expect((await ledger.read(id))?.events).toEqual(events);
  expect((await folderStore(folder).list(`releases/${id}/`)).length).toBeLessThanOrEqual(3);
});

test('a record is gone on with where it ended, in one chain', async () => {
  const ledger = ledgerIn(await freshFolder());
  const id = ledger.newId('staging');
  const events = stamped(id, [started('staging', ['chat']), built, finished]);
  await ledger.begin(id).append(events.slice(0, 1));
  const again = await ledger.reopen(id);
  expect(again?.record.events).toEqual(events.slice(0, 1));
  await again?.recorder.append(events.slice(1));
  expect(await ledger.read(id)).toMatchObject({ events, problems: [], intact: true });
  expect(await ledger.reopen('20261122T023105-staging-zzzz')).toBeUndefined();
});

test('a segment that is taken away or put elsewhere is noticed', async () => {
  const folder = await freshFolder();
  const ledger = ledgerIn(folder);
  const id = ledger.newId('staging');
  const recorder = ledger.begin(id);
  for (const event of stamped(id, [started('staging', ['chat']), built, finished]))
    await recorder.append([event]);
  const at = (number: number) => join(folder, 'releases', id, `00000${number}.ndjson`);
  await rename(at(2), join(folder, 'kept'));
  expect(await ledger.read(id)).toMatchObject({
    intact: false,
    problems: [{ kind: 'damaged' }, { kind: 'damaged' }],
  });
  // Closing the gap does not help.
  await rename(at(3), at(2));
  expect(await ledger.read(id)).toMatchObject({ intact: false, problems: [{ kind: 'damaged', line: 1 }] });
  expect((await ledger.latestFor('staging', 'chat'))?.intact).toBe(false);
});

test('a second writer of a release is refused, and so is all that it appends later', async () => {
  const folder = await freshFolder();
  const id = ledgerIn(folder).newId('staging');
  const [first, second] = stamped(id, [started('staging', ['chat']), finished]);
  if (!first || !second) throw new Error('two events');
  await ledgerIn(folder).begin(id).append([first]);
  const intruder = ledgerIn(folder).begin(id);
  await expect(intruder.append([first])).rejects.toMatchObject({ reason: 'conflict' });
  await expect(intruder.append([second])).rejects.toMatchObject({ reason: 'conflict' });
  expect((await ledgerIn(folder).read(id))?.events).toEqual([first]);
});

test('torn, foreign and unknown lines and missing segments are told, the rest is read', async () => {
  const folder = await freshFolder();
  const ledger = ledgerIn(folder);
  const id = ledger.newId('staging');
  const events = stamped(id, [started('staging', ['chat']), built]);
  await ledger.begin(id).append(events);
  const other = stamped('20261122T023105-staging-zzzz', [finished], 3);
  const lines = [...other, { v: 2, hello: 'x' }, events[0]].map((line) => JSON.stringify(line));
  const segment = join(folder, 'releases', id, '000003.ndjson');
  await writeFile(segment, `${lines.join('\n')}\n\u2028 not json\n{"v":1,"rel`);
  const record = await ledger.read(id);
  expect(record?.events).toEqual(events);
  expect(record?.problems.map(({ line, why }) => [line, why])).toEqual([
    [1, 'an event of another release'],
    [2, 'the line is not chained to the one before'],
    [3, 'event 1 after event 2'],
    [4, 'the line is not JSON'],
    [5, 'the line is torn'],
    [0, expect.stringContaining('segment 2 is missing')],
  ]);
});

test('releases are listed newest first, by environment and service', async () => {
  const ledger = ledgerIn(await freshFolder());
  const record = async (id: string, events: DurableEvent[]) => ledger.begin(id).append(stamped(id, events));
  await record('20261101T000000-staging-aaaa', [started('staging', ['chat']), built, finished]);
  await record('20261102T000000-production-bbbb', [started('production', ['chat'])]);
  await record('20261103T000000-staging-cccc', [started('staging', ['worker'])]);
  const ids = async (query: Parameters<Ledger['releases']>[0]) =>
    (await ledger.releases(query)).map(({ id }) => id);

  expect(await ids({ limit: 2 })).toEqual([
    '20261103T000000-staging-cccc',
    '20261102T000000-production-bbbb',
  ]);
  expect(await ids({ limit: 9, environment: 'staging' })).toEqual([
    '20261103T000000-staging-cccc',
    '20261101T000000-staging-aaaa',
  ]);
  expect(await ids({ limit: 9, cloud: 'google' })).toEqual([]);
  expect(await ids({ limit: 1, cloud: 'local', service: 'chat' })).toEqual([
    '20261102T000000-production-bbbb',
  ]);
  expect(await ids({ limit: 9, service: 'worker' })).toEqual(['20261103T000000-staging-cccc']);
  expect(await ledger.latestFor('production', 'worker')).toBeUndefined();
  expect(await ledger.latestFor('staging', 'chat')).toEqual({
    id: '20261101T000000-staging-aaaa',
    environment: 'staging',
    runbook: 'deploy',
    ...{ cloud: 'local', who: 'ada', commit: null, dirty: false, reason: '', from: null },
    started: '2026-11-22T02:31:06Z',
    finished: '2026-11-22T02:31:06Z',
    ...{ outcome: 'failed', exitCode: 12, rolledBack: true, verdict: 'blocked', overrides: [] },
    ...{ intact: true, chained: true },
    services: [
      {
        ...{ service: 'chat', revision: null, digest: 'sha256:abc', outcome: 'unfinished' },
        ...{ changes: [], cause: '', traffic: [] },
      },
    ],
  });
});

test('a release whose beginning is unreadable is still found by what its events say', async () => {
  const folder = await freshFolder();
  const ledger = ledgerIn(folder);
  const id = '20261101T000000-staging-torn';
  const recorder = ledger.begin(id);
  await recorder.append(stamped(id, [started('staging', ['chat'])]));
  await recorder.append(stamped(id, [built], 2));
  await writeFile(join(folder, 'releases', id, '000001.ndjson'), '{"v":1,');
  expect(await ledger.latestFor('staging', 'worker')).toBeUndefined();
  expect(await ledger.latestFor('staging', 'chat')).toMatchObject({
    id,
    environment: 'staging',
    started: null,
  });
});

test('kill -9 in the middle of appends loses nothing that was acknowledged', async () => {
  const folder = await freshFolder();
  const id = '20261101T000000-staging-kill';
  const child = runFixture('append-for-ever.ts', [folder, id]);
  let acknowledged = 0;
  for (let line = await child.lines.next(); !line.done; line = await child.lines.next()) {
    acknowledged = Number(line.value);
    if (acknowledged === 25) child.kill('SIGKILL');
  }
  expect(await exitOf(child)).toBeNull();
  const record = await ledgerIn(folder).read(id);
  expect(record?.problems).toEqual([]);
  expect(acknowledged).toBeGreaterThanOrEqual(25);
  expect(record?.events.slice(0, acknowledged).map(({ seq }) => seq)).toEqual(
    Array.from({ length: acknowledged }, (_, index) => index + 1),
  );
  expect(await ledgerIn(folder).releases({ limit: 1 })).toMatchObject([{ id, outcome: 'unfinished' }]);
});
