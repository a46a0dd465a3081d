import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import { folderStore } from '../../src/ledger/folder-store.ts';
import { type Locks, openLocks } from '../../src/ledger/lock.ts';
import { encodeHolder, type LockClaim, type LockPlace, newHolder } from '../../src/ledger/lock-holder.ts';
import { freshFolder, runFixture } from './processes.ts';

const chat: LockPlace = { project: 'demo', region: 'europe-west1', service: 'chat' };
const worker: LockPlace = { ...chat, service: 'worker' };
const claim = (release: string, leaseMs = 60_000): LockClaim => ({
  who: 'ada',
  why: 'sluice deploy staging',
  release,
  leaseMs,
});
const locksIn = (folder: string, now = () => new Date()): Locks =>
  openLocks(folderStore(folder), { now, host: 'laptop', pid: 4711 });
const failureOf = async (attempt: Promise<unknown>): Promise<SluiceError> => {
  const failure = await attempt.catch((error: unknown) => error);
  if (!(failure instanceof SluiceError)) throw new Error(`no SluiceError: ${String(failure)}`);
  return failure;
};

test('a second deploy is refused with who, since when, why, until when and what to type', async () => {
  const folder = await freshFolder();
  const now = () => new Date('2026-11-22T02:31:00Z');
  const lock = await locksIn(folder, now).acquire(chat, claim('first'));
  const later = () => new Date('2026-11-22T02:31:20Z');
  const failure = await failureOf(locksIn(folder, later).acquire(chat, claim('second')));
  expect(failure.reason).toBe('conflict');
  for (const part of [
    'chat is locked by ada since 2026-11-22T02:31:00.000Z: sluice deploy staging',
    'release first runs on laptop (process 4711)',
    'ends in 40 s, at 2026-11-22T02:32:00.000Z',
    'then type: sluice deploy staging',
  ])
    expect(failure.message).toContain(part);

  await lock.release();
  await lock.release();
  const next = await locksIn(folder, later).acquire(chat, claim('second'));
  expect(await locksIn(folder, later).holder(chat)).toMatchObject({ release: 'second' });
  await next.release();
  expect(await locksIn(folder, later).holder(chat)).toBeUndefined();
});

test('a holder whose process has ended is not waited for', async () => {
  const folder = await freshFolder();
  await locksIn(folder).acquire(chat, claim('crashed'));
  const owner = { now: () => new Date(), host: 'laptop', pid: 4712 };
  const alive = openLocks(folderStore(folder), { ...owner, hasEnded: () => false });
  expect((await failureOf(alive.acquire(chat, claim('heir')))).reason).toBe('conflict');
  const heir = await openLocks(folderStore(folder), { ...owner, hasEnded: () => true }).acquire(
    chat,
    claim('heir'),
  );
  expect(await locksIn(folder).holder(chat)).toMatchObject({ release: 'heir' });
  await heir.release();
});

const hour = 3_600_000;
const shifted = (by: number) => () => new Date(Date.now() + by);
const lockFile = 'locks/demo-europe-west1-chat.json';

test.each([-hour, hour])('a living holder whose clock is %i ms off keeps its lock', async (off) => {
  const folder = await freshFolder();
  const former = await locksIn(folder, shifted(off)).acquire(chat, claim('former', 900));
  const failure = await failureOf(locksIn(folder).acquire(chat, claim('heir')));
  expect(failure.message).toContain('release former runs on laptop');
  expect(former.lost.aborted).toBe(false);
  await former.release();
  await (await locksIn(folder).acquire(chat, claim('heir'))).release();
});

test.each([-hour, 0, hour])("a dead holder's lock is taken over, its clock %i ms off", async (off) => {
  const folder = await freshFolder();
  const owner = { now: shifted(off - 200), host: 'laptop', pid: 4711 };
  const dead = newHolder(claim('dead', 200), owner);
  await folderStore(folder).create(lockFile, encodeHolder(dead));
  const heir = await vi.waitFor(() => locksIn(folder).acquire(chat, claim('heir')), { timeout: 5_000 });
  expect(await locksIn(folder).holder(chat)).toMatchObject({ release: 'heir' });
  await heir.release();
});

test('the wait for a holder in doubt can be interrupted', async () => {
  const folder = await freshFolder();
  const dead = newHolder(claim('dead', 60_000), { now: shifted(-hour), host: 'laptop', pid: 4711 });
  await folderStore(folder).create(lockFile, encodeHolder(dead));
  const signal = AbortSignal.timeout(20);
  await expect(locksIn(folder).acquire(chat, { ...claim('heir'), signal })).rejects.toThrow(/abort/);
});

test('a holder whose lock was taken over learns of it, and leaves it to the heir', async () => {
  const folder = await freshFolder();
  const store = folderStore(folder);
  const former = await locksIn(folder).acquire(chat, claim('former', 600));
  const heir = newHolder(claim('heir'), { now: () => new Date(), host: 'runner', pid: 1 });
  await vi.waitFor(async () => {
    const found = await store.read(lockFile);
    expect(await store.replace(lockFile, found?.generation ?? '', encodeHolder(heir))).not.toBe('changed');
  });
  await vi.waitFor(() => expect(former.lost.aborted).toBe(true), { timeout: 20_000 });
  expect(former.lost.reason).toMatchObject({ reason: 'conflict' });
  await former.release();
  expect(await locksIn(folder).holder(chat)).toMatchObject({ release: 'heir' });
});

test('renewal keeps a lease far beyond its first end', async () => {
  const folder = await freshFolder();
  const lock = await locksIn(folder).acquire(chat, claim('long', 1_500));
  const first = await locksIn(folder).holder(chat);
  await vi.waitFor(
    async () => {
      const holder = await locksIn(folder).holder(chat);
      expect(Date.parse(holder?.until ?? '')).toBeGreaterThan(Date.parse(first?.until ?? ''));
    },
    { timeout: 20_000, interval: 200 },
  );
  expect(lock.lost.aborted).toBe(false);
  expect((await locksIn(folder).holder(chat))?.when).toBe(first?.when);
  await lock.release();
});

test('a lock that somebody removed by hand is noticed', async () => {
  const folder = await freshFolder();
  const store = folderStore(folder);
  const lock = await locksIn(folder).acquire(chat, claim('first', 300));
  const removed = async () => {
    const name = 'locks/demo-europe-west1-chat.json';
    const found = await store.read(name);
    return found ? store.remove(name, found.generation) : 'removed';
  };
  await vi.waitFor(async () => expect(await removed()).toBe('removed'));
  await vi.waitFor(() => expect(lock.lost.aborted).toBe(true), { timeout: 20_000 });
  await lock.release();
});

test('several services are locked together or not at all', async () => {
  const folder = await freshFolder();
  const held = await locksIn(folder).acquire(worker, claim('first'));
  await expect(locksIn(folder).acquire([worker, chat], claim('both'))).rejects.toThrow('worker is locked');
  expect(await locksIn(folder).holder(chat)).toBeUndefined();
  await held.release();
  const both = await locksIn(folder).acquire([worker, chat], claim('both'));
  await expect(locksIn(folder).acquire([chat], claim('second'))).rejects.toThrow('release both');
  await both.release();
});

test('a lock that nobody can read is not taken over', async () => {
  const folder = await freshFolder();
  await (await locksIn(folder).acquire(chat, claim('first'))).release();
  const path = join(folder, 'locks', 'demo-europe-west1-chat.json');
  await writeFile(path, '{"who":');
  const failure = await failureOf(locksIn(folder).acquire(chat, claim('second')));
  expect(failure.reason).toBe('conflict');
  expect(failure.message).toContain(`remove ${path}`);
});

test('of processes that race for a lock one gets it; killed, it is followed after its lease', async () => {
  const folder = await freshFolder();
  const leaseMs = 3_000;
  const children = ['one', 'two', 'three'].map((release) =>
    runFixture('take-lock.ts', [folder, release, String(leaseMs)]),
  );
  const answers = await Promise.all(children.map(async (child) => (await child.lines.next()).value));
  expect(answers.toSorted()).toEqual(['conflict', 'conflict', 'got']);
  children[answers.indexOf('got')]?.kill('SIGKILL');
  const heir = await vi.waitFor(() => locksIn(folder).acquire(chat, claim('heir')), {
    timeout: 20_000,
    interval: 100,
  });
  expect(await locksIn(folder).holder(chat)).toMatchObject({ release: 'heir' });
  await heir.release();
});
