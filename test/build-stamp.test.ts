import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isStale, recordBuild } from '../src/build-stamp.ts';

let root = '';
const source = () => join(root, 'src/main.ts');
const build = () => writeFileSync(join(root, 'dist/build.json'), JSON.stringify(recordBuild(root)));

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-stamp-'));
  for (const folder of ['src', 'commands', 'dist']) mkdirSync(join(root, folder));
  writeFileSync(source(), 'one');
  build();
});
afterEach(() => rmSync(root, { recursive: true }));

describe('dist is', () => {
  test('fresh after a build', () => expect(isStale(root)).toBe(false));

  test('fresh when a file was written anew with the same words', () => {
    writeFileSync(source(), 'one');
    expect(isStale(root)).toBe(false);
  });

  test('stale after an edit that keeps size and modification time', () => {
    const { atime, mtime } = statSync(source());
    writeFileSync(source(), 'two');
    utimesSync(source(), atime, mtime);
    expect(isStale(root)).toBe(true);
  });

  test('stale when a source file was added', () => {
    writeFileSync(join(root, 'commands/new.ts'), '');
    expect(isStale(root)).toBe(true);
  });

  test('stale when a source file is gone', () => {
    writeFileSync(join(root, 'src/other.ts'), '');
    build();
    rmSync(join(root, 'src/other.ts'));
    expect(isStale(root)).toBe(true);
  });

  test('stale when a source file was added in a folder below', () => {
    mkdirSync(join(root, 'src/deep/er'), { recursive: true });
    build();
    writeFileSync(join(root, 'src/deep/er/new.ts'), '');
    expect(isStale(root)).toBe(true);
  });

  test('stale when nobody knows what it was built from', () => {
    writeFileSync(join(root, 'dist/build.json'), 'torn');
    expect(isStale(root)).toBe(true);
  });

  test('never stale where no sources are', () => {
    rmSync(join(root, 'src'), { recursive: true });
    expect(isStale(root)).toBe(false);
  });
});
