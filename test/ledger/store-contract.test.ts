import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CloudError } from '../../src/cloud/ports/index.ts';
import { SluiceError } from '../../src/errors.ts';
import { bucketStore } from '../../src/ledger/bucket-store.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { openLocks } from '../../src/ledger/lock.ts';
import { isObjectName, maxObjectBytes, type ObjectStore } from '../../src/ledger/object-store.ts';
import { openStatements } from '../../src/ledger/statements.ts';
import { type Buckets, folderPlace, losingAnswers, openBuckets, type Place } from './stores.ts';

const bytes = (text: string) => Buffer.from(text);
const textOf = async (store: ObjectStore, name: string) => {
  const found = await store.read(name);
  return found && Buffer.from(found.bytes).toString();
};

let buckets: Buckets;
beforeAll(async () => {
  buckets = await openBuckets();
});
afterAll(() => buckets.close());

const kinds: [string, () => Promise<Place>][] = [
  ['a folder', folderPlace],
  ['a bucket', async () => buckets.place()],
];

describe.each(kinds)('%s', (_kind, makePlace) => {
  const fresh = async () => (await makePlace())();

  test('creates once, replaces and removes only what was read', async () => {
    const store = await fresh();
    expect(await store.read('a/b.json')).toBeUndefined();
    const created = await store.create('a/b.json', bytes('one'));
    if (created === 'exists') throw new Error('it was absent');
    expect(await store.create('a/b.json', bytes('two'))).toBe('exists');
    expect(await store.create('a/b.json', bytes('one'))).toBe('exists');

    const replaced = await store.replace('a/b.json', created.generation, bytes('three'));
    expect(await store.replace('a/b.json', created.generation, bytes('four'))).toBe('changed');
    expect(await store.remove('a/b.json', created.generation)).toBe('changed');
    const found = await store.read('a/b.json');
    expect(Buffer.from(found?.bytes ?? []).toString()).toBe('three');
    expect(replaced).toEqual({ generation: found?.generation });

    expect(await store.remove('a/b.json', found?.generation ?? '')).toBe('removed');
    expect(await store.read('a/b.json')).toBeUndefined();
    expect(await store.remove('a/b.json', found?.generation ?? '')).toBe('changed');
    expect(await store.replace('a/b.json', found?.generation ?? '', bytes('five'))).toBe('changed');
  });

  test('lists by prefix and by folder, and nothing of its own', async () => {
    const store = await fresh();
    expect(await store.list('')).toEqual([]);
    for (const name of ['releases/b/1', 'releases/a/2', 'releases/a/1', 'locks/x'])
      await store.create(name, bytes(name));
    expect(await store.list('releases/a/')).toEqual(['releases/a/1', 'releases/a/2']);
    expect(await store.list('releases/a')).toEqual(['releases/a/1', 'releases/a/2']);
    expect(await store.list('')).toEqual(['locks/x', 'releases/a/1', 'releases/a/2', 'releases/b/1']);
    expect(await store.folders('releases/')).toEqual(['a', 'b']);
    expect(await store.folders('nothing/')).toEqual([]);
  });

  test.each([
    ...['', '.', '..', '../x', 'a/../b', '/etc/passwd', 'a//b', 'a/', '.tmp/x', 'a\\b', 'a\0b'],
    `${'x/'.repeat(300)}x`,
  ])('refuses the name %j', async (name) => {
    const store = await fresh();
    await expect(async () => store.create(name, bytes('x'))).rejects.toThrow('not a name of a ledger object');
  });

  test('refuses an object that is too large', async () => {
    const store = await fresh();
    await expect(store.create('big', Buffer.alloc(maxObjectBytes + 1))).rejects.toThrow('too many');
    expect(await store.read('big')).toBeUndefined();
  });

  test('of many creators of one name exactly one succeeds', async () => {
    const place = await makePlace();
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, index) => place().create('one', bytes(String(index)))),
    );
    expect(outcomes.filter((outcome) => outcome !== 'exists')).toHaveLength(1);
  });

  test('of many who count up by compare-and-swap none loses a step', async () => {
    const place = await makePlace();
    await place().create('counter', bytes('0'));
    const countUp = async (store: ObjectStore) => {
      for (let done = 0; done < 5; ) {
        const found = await store.read('counter');
        const next = bytes(String(Number(Buffer.from(found?.bytes ?? []).toString()) + 1));
        if ((await store.replace('counter', found?.generation ?? '', next)) !== 'changed') done += 1;
      }
    };
    await Promise.all([1, 2, 3].map(() => countUp(place())));
    expect(await textOf(place(), 'counter')).toBe('15');
  });

  test('holds records, locks and statements', async () => {
    const place = await makePlace();
    const [one, other] = [place(), place()];
    const by = { now: () => new Date(), random: Math.random };
    const ledger = openLedger(one, by);
    const id = ledger.newId('staging');
    const event = { type: 'stage.started', service: 'chat', stage: 'build' } as const;
    await ledger.begin(id).append([{ v: 1, release: id, seq: 0, at: '', event }]);
    await ledger.attach(id, 'evidence-chat.json', bytes('{}'));
    expect(await openLedger(other, by).read(id)).toMatchObject({ intact: true, events: [{ event }] });
    expect(await openLedger(other, by).releases({ limit: 5 })).toMatchObject([{ id, intact: true }]);

    const owner = (host: string) => ({ now: () => new Date(), host, pid: 1 });
    const at = { project: 'demo', region: 'europe-west1', service: 'chat' };
    const claim = { who: 'ada', why: 'sluice deploy staging', release: id, leaseMs: 60_000 };
    const lock = await openLocks(one, owner('laptop')).acquire(at, claim);
    await expect(openLocks(other, owner('runner')).acquire(at, claim)).rejects.toMatchObject({
      reason: 'conflict',
      message: expect.stringContaining('locked by ada since'),
    });
    await lock.release();
    expect(await openLocks(other, owner('runner')).holder(at)).toBeUndefined();

    const approval = { v: 1, release: id, note: 'fine', by: { git: 'ada', account: '' }, at: '' } as const;
    await openStatements(one).approve(approval);
    expect(await openStatements(other).approvals(id)).toEqual([approval]);
  });
});

test('no name that is accepted leaves its place', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '-', '%', '\\', '~') }), (name) => {
      if (!isObjectName(name)) return;
      expect(new URL(name, 'file:///ledger/').pathname.startsWith('/ledger/')).toBe(true);
    }),
  );
});

describe('a write to a bucket whose answer is lost', () => {
  const losing = (effects: boolean[]) => buckets.place((storage) => losingAnswers(storage, effects))();

  test.each([[[true]], [[false]], [[true, true]], [[false, true, false]]])(
    'is known: %j',
    async (effects) => {
      const store = losing(effects);
      const made = await store.create('a', bytes('one'));
      expect(made).toEqual({ generation: (await store.read('a'))?.generation });
      expect(await textOf(store, 'a')).toBe('one');
    },
  );

  test('replaces once, and removes once', async () => {
    const effects: boolean[] = [];
    const store = losing(effects);
    const made = await store.create('a', bytes('one'));
    if (made === 'exists') throw new Error('it was absent');
    effects.push(true);
    const next = await store.replace('a', made.generation, bytes('two'));
    expect(next).toEqual({ generation: (await store.read('a'))?.generation });
    effects.push(true);
    expect(await store.remove('a', (await store.read('a'))?.generation ?? '')).toBe('removed');
    expect(await store.read('a')).toBeUndefined();
  });

  test("is not taken for somebody else's", async () => {
    const effects: boolean[] = [];
    const store = losing(effects);
    await store.create('a', bytes('theirs'));
    effects.push(false);
    expect(await store.create('a', bytes('ours'))).toBe('exists');
  });

  test('ends as an unknown outcome when it is lost again and again', async () => {
    const store = losing(Array(9).fill(false));
    await expect(store.create('a', bytes('one'))).rejects.toMatchObject({ reason: 'unknown' });
  });
});

describe('a bucket', () => {
  const missing = (make?: () => Promise<void>) =>
    bucketStore({
      ...{
        bucket: 'demo-missing',
        prefix: '',
        storage: buckets.storage,
        makeCommand: 'gcloud storage buckets …',
      },
      ...(make ? { make } : {}),
    });

  test('that does not exist is told, with the command that makes it', async () => {
    const failure = await missing()
      .create('a', bytes('1'))
      .catch((error: unknown) => error);
    if (!(failure instanceof SluiceError)) throw failure;
    expect(failure.reason).toBe('preflight');
    expect(failure.message).toMatch(/gs:\/\/demo-missing, does not exist(.|\n)*→ gcloud storage buckets …/);
    await expect(missing().list('releases/')).rejects.toMatchObject({ reason: 'preflight' });
  });

  test('is made where that is allowed', async () => {
    const place = { project: 'demo', region: 'europe-west1', name: 'demo-missing' };
    const store = missing(() => buckets.storage.ensureBucket(place, { signal: AbortSignal.timeout(5_000) }));
    expect(await store.list('')).toEqual([]);
    await store.create('a', bytes('1'));
    expect(store.where('a')).toBe('gs://demo-missing/a');
  });

  test('that may not be used is told', async () => {
    const refuse = async () => {
      throw new CloudError('forbidden', { method: 'read', resource: '', said: 'no access' });
    };
    const store = buckets.place((storage) => ({ ...storage, read: refuse }))();
    await expect(store.read('a')).rejects.toMatchObject({
      reason: 'preflight',
      message: expect.stringContaining('roles/storage.objectUser'),
    });
  });
});
