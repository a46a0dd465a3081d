import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openGit } from '../src/git.ts';

let root = '';
const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
const git = (...args: string[]) =>
  execFileSync('git', ['-C', root, ...author, ...args], { encoding: 'utf8' }).trim();
const write = (file: string, text: string) => writeFileSync(join(root, file), text);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-git-'));
  mkdirSync(join(root, 'app'));
});
afterEach(() => rmSync(root, { recursive: true }));

function commit(): string {
  git('init', '--quiet');
  write('app/index.js', 'one');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
  return git('rev-parse', 'HEAD');
}

describe('what is checked out', () => {
  test('a commit with nothing changed', async () => {
    const head = commit();
    expect(await openGit(root).status()).toEqual({ commit: head, dirty: false });
  });

  test.each([
    ['an edited file', 'app/index.js'],
    ['a new file', 'app/new.js'],
  ])('%s makes it dirty', async (_, file) => {
    const head = commit();
    write(file, 'two');
    expect(await openGit(join(root, 'app')).status()).toEqual({ commit: head, dirty: true });
  });

  test('what changed elsewhere in the repository does not', async () => {
    const head = commit();
    write('notes.md', 'two');
    expect(await openGit(join(root, 'app')).status()).toEqual({ commit: head, dirty: false });
  });

  test('a repository without a commit has none', async () => {
    git('init', '--quiet');
    write('app/index.js', 'one');
    expect(await openGit(root).status()).toEqual({ commit: null, dirty: true });
  });

  test('outside a repository nothing is known', async () => {
    expect(await openGit(root).status()).toEqual({ commit: null, dirty: false });
  });
});
