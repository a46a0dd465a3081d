import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SluiceError } from '../../src/errors.ts';
import { packSource } from '../../src/release/source.ts';

let root: string;
const { signal } = new AbortController();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-source-'));
  await writeFile(join(root, 'server.js'), 'listen()');
});
afterEach(() => rm(root, { recursive: true }));

/** The paths in the archive, read with no help from the code under test. */
function paths(archive: Uint8Array): string[] {
  const bytes = gunzipSync(archive);
  const found: string[] = [];
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const text = (from: number, to: number) =>
      bytes.toString('utf8', at + from, at + to).replace(/\0.*$/s, '');
    found.push(text(0, 100));
    at += 512 + Math.ceil(Number.parseInt(text(124, 136), 8) / 512) * 512;
  }
  return found;
}

describe('the archive', () => {
  test('is the same whenever and wherever it is packed', async () => {
    const first = await packSource(root, signal);
    await utimes(join(root, 'server.js'), new Date(0), new Date(0));
    const second = await packSource(root, signal);
    expect(second.hash).toBe(first.hash);
    await writeFile(join(root, 'server.js'), 'listen( )');
    expect((await packSource(root, signal)).hash).not.toBe(first.hash);
  });

  test('never holds the ledger, .git or node_modules, whatever the ignore files say', async () => {
    for (const folder of ['.sluice', '.git', 'node_modules']) {
      await mkdir(join(root, folder));
      await writeFile(join(root, folder, 'x'), 'x');
    }
    await writeFile(join(root, '.gcloudignore'), '!.sluice/\n!node_modules/\n');
    expect(paths((await packSource(root, signal)).archive)).toEqual(['.gcloudignore', 'server.js']);
  });

  test.each([
    ['.gitignore', 'secret.txt\n', ['.gitignore', 'server.js']],
    ['.gcloudignore', 'secret.txt\n', ['.gcloudignore', 'server.js']],
  ])('leaves out what %s names', async (file, rules, expected) => {
    await writeFile(join(root, file), rules);
    await writeFile(join(root, 'secret.txt'), 'x');
    expect(paths((await packSource(root, signal)).archive)).toEqual(expected);
  });

  test('.gcloudignore replaces .gitignore unless it includes it', async () => {
    await writeFile(join(root, '.gitignore'), 'a.txt\n');
    await writeFile(join(root, 'a.txt'), 'a');
    await writeFile(join(root, '.gcloudignore'), '');
    expect(paths((await packSource(root, signal)).archive)).toContain('a.txt');
    await writeFile(join(root, '.gcloudignore'), '#!include:.gitignore\n');
    expect(paths((await packSource(root, signal)).archive)).not.toContain('a.txt');
  });
});

describe('a source that cannot be packed is refused by path, with the remedy', () => {
  const refusal = async () => {
    const error = await packSource(root, signal).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SluiceError);
    return error instanceof SluiceError ? error : new SluiceError('unknown', { what: '' });
  };

  test.each([
    ['a loop', 'loop', 'loop', /symbolic link loop is a loop \(ELOOP\)/],
    ['a dangling link', 'nowhere', 'gone', /symbolic link gone points to nothing/],
    ['a link out of the folder', '/etc/hostname', 'out', /symbolic link out points outside/],
  ])('%s', async (_name, to, at, why) => {
    await symlink(to, join(root, at));
    const error = await refusal();
    expect(error.problem.why).toMatch(why);
    expect(error.problem.next?.[0]).toContain('.gcloudignore');
    expect(error.exitCode).toBe(10);
  });

  test('an empty folder and a missing one', async () => {
    await rm(join(root, 'server.js'));
    expect((await refusal()).problem.why).toMatch(/no files/);
    root = join(root, 'missing');
    expect((await refusal()).problem.why).toMatch(/does not exist/);
    root = join(root, '..');
  });
});
