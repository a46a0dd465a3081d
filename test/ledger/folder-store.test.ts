import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import { folderStore } from '../../src/ledger/folder-store.ts';
import { isObjectName, maxObjectBytes } from '../../src/ledger/object-store.ts';
import { exitOf, freshFolder, runFixture } from './processes.ts';

const bytes = (text: string) => Buffer.from(text);

test('creates once, replaces and removes only what was read', async () => {
  const store = folderStore(await freshFolder());
  expect(await store.read('a/b.json')).toBeUndefined();
  const created = await store.create('a/b.json', bytes('one'));
  if (created === 'exists') throw new Error('it was absent');
  expect(await store.create('a/b.json', bytes('two'))).toBe('exists');

  const replaced = await store.replace('a/b.json', created.generation, bytes('three'));
  expect(await store.replace('a/b.json', created.generation, bytes('four'))).toBe('changed');
  expect(await store.remove('a/b.json', created.generation)).toBe('changed');
  const found = await store.read('a/b.json');
  expect(Buffer.from(found?.bytes ?? []).toString()).toBe('three');
  expect(replaced).toEqual({ generation: found?.generation });

  expect(await store.remove('a/b.json', found?.generation ?? '')).toBe('removed');
  expect(await store.read('a/b.json')).toBeUndefined();
  expect(await store.replace('a/b.json', found?.generation ?? '', bytes('five'))).toBe('changed');
});

test('lists by prefix and by folder, and nothing of its own', async () => {
  const store = folderStore(await freshFolder());
  for (const name of ['releases/b/1', 'releases/a/2', 'releases/a/1', 'locks/x'])
    await store.create(name, bytes(name));
  expect(await store.list('releases/a/')).toEqual(['releases/a/1', 'releases/a/2']);
  expect(await store.list('releases/a')).toEqual(['releases/a/1', 'releases/a/2']);
  expect(await store.list('')).toEqual(['locks/x', 'releases/a/1', 'releases/a/2', 'releases/b/1']);
  expect(await store.folders('releases/')).toEqual(['a', 'b']);
  expect(await store.folders('nothing/')).toEqual([]);
});

test('reading makes no folder, the first write one that git ignores', async () => {
  const folder = await freshFolder();
  const store = folderStore(folder);
  await store.read('a');
  await store.list('');
  await expect(readdir(folder)).rejects.toThrow('ENOENT');
  await store.create('a', bytes('1'));
  expect(await readFile(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
});

test.each([
  '',
  '.',
  '..',
  '../x',
  'a/../b',
  '/etc/passwd',
  'a//b',
  'a/',
  '.tmp/x',
  'a\\b',
  'a\0b',
  `${'x/'.repeat(300)}x`,
])('refuses the name %j', async (name) => {
  const store = folderStore(await freshFolder());
  await expect(async () => store.create(name, bytes('x'))).rejects.toThrow('not a name of a ledger object');
});

test('no name that is accepted leaves the folder', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '-', '%', '\\', '~') }), (name) => {
      if (!isObjectName(name)) return;
      expect(join('/ledger', name).startsWith('/ledger/')).toBe(true);
    }),
  );
});

test('refuses an object that is too large', async () => {
  const store = folderStore(await freshFolder());
  await expect(store.create('big', Buffer.alloc(maxObjectBytes + 1))).rejects.toThrow('too many');
  expect(await store.read('big')).toBeUndefined();
});

test('processes that count up by compare-and-swap lose no step', async () => {
  const folder = await freshFolder();
  const children = [1, 2, 3].map(() => runFixture('count-up.ts', [folder, '60']));
  expect(await Promise.all(children.map(exitOf))).toEqual([0, 0, 0]);
  const counter = await folderStore(folder).read('counter.txt');
  expect(Buffer.from(counter?.bytes ?? []).toString()).toBe('180');
});

test('kill -9 among replaces leaves a whole object that the next writer can replace', async () => {
  const folder = await freshFolder();
  const store = folderStore(folder);
  const children = [1, 2].map(() => runFixture('count-up.ts', [folder, '1000000']));
  const counted = async () => Number(Buffer.from((await store.read('counter.txt'))?.bytes ?? []).toString());
  await vi.waitFor(async () => expect(await counted()).toBeGreaterThan(20), { timeout: 20_000 });
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.map(exitOf));
  expect(await counted()).toBeGreaterThan(20);
  const found = await store.read('counter.txt');
  expect(await store.replace('counter.txt', found?.generation ?? '', bytes('done'))).not.toBe('changed');
  expect(await store.list('')).toEqual(['counter.txt']);
});

test('of many creators of one name exactly one succeeds', async () => {
  const folder = await freshFolder();
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, index) => folderStore(folder).create('one', bytes(String(index)))),
  );
  expect(outcomes.filter((outcome) => outcome !== 'exists')).toHaveLength(1);
});

test('what a dead process left behind is swept, what is fresh stays', async () => {
  const folder = await freshFolder();
  await mkdir(join(folder, '.tmp'), { recursive: true });
  await writeFile(join(folder, '.tmp', 'old'), 'x');
  await writeFile(join(folder, '.tmp', 'fresh'), 'x');
  const longAgo = new Date(Date.now() - 2 * 3600 * 1000);
  await utimes(join(folder, '.tmp', 'old'), longAgo, longAgo);
  await folderStore(folder).create('a', bytes('1'));
  expect(await readdir(join(folder, '.tmp'))).toEqual(['fresh']);
});

test('a folder that cannot be written stops before anything else, with the path and what to do', async () => {
  const folder = await freshFolder();
  await mkdir(dirname(folder), { recursive: true });
  await writeFile(folder, 'a file stands where the folder should be');
  const failure = await folderStore(folder)
    .create('a', bytes('1'))
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(SluiceError);
  expect(failure).toMatchObject({ reason: 'preflight', message: expect.stringContaining(folder) });
  expect(String(failure)).toContain('→ make');
});
