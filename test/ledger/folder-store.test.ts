import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import { folderStore } from '../../src/ledger/folder-store.ts';
import { exitOf, freshFolder, runFixture } from './processes.ts';

const bytes = (text: string) => Buffer.from(text);

test('reading makes no folder, the first write one that git ignores', async () => {
  const folder = await freshFolder();
  const store = folderStore(folder);
  await store.read('a');
  await store.list('');
  await expect(readdir(folder)).rejects.toThrow('ENOENT');
  await store.create('a', bytes('1'));
  expect(await readFile(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
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
