import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { resolveTarget } from '../../src/config/resolve.ts';
import { initFromTemplate } from '../../src/init.ts';

const packageRoot = fileURLToPath(new URL('../../', import.meta.url));
let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'sluice-init-'));
});
afterEach(() => rm(cwd, { recursive: true }));

const init = (into: string, template = 'chat') => initFromTemplate({ template, into, cwd, packageRoot });

test('the template is copied, and the next command works on what was written', async () => {
  const result = await init('my-chat');
  expect(result.written).toContain('my-chat/sluice.yaml');
  expect(result.written).toContain('my-chat/.gitignore');
  expect(result.written.filter((name) => /node_modules|my-chat\/gitignore/.test(name))).toEqual([]);
  expect(result.next).toEqual(['sluice deploy staging --local --dir my-chat']);

  const config = await loadConfig({ dir: 'my-chat', cwd, env: {} });
  expect(resolveTarget(config, { environment: 'staging' })[0]?.sourceDir).toBe(join(cwd, 'my-chat'));
});

test('the first line of the copy points at the schema, wherever the copy lies', async () => {
  await init('a/b');
  const [first = ''] = (await readFile(join(cwd, 'a/b/sluice.yaml'), 'utf8')).split('\n');
  const schema = resolve(dirname(join(cwd, 'a/b/sluice.yaml')), first.split('$schema=')[1] ?? '');
  expect(schema).toBe(join(packageRoot, 'sluice.schema.json'));
});

test('in the folder itself the next command needs no --dir', async () => {
  expect(await init('.')).toMatchObject({ next: ['sluice deploy staging --local'] });
});

test('one file in the way, and nothing is written', async () => {
  await mkdir(join(cwd, 'mine/src'), { recursive: true });
  await writeFile(join(cwd, 'mine/src/log.js'), 'mine');
  await expect(init('mine')).rejects.toThrowError(/Nothing was written[\s\S]*mine\/src\/log\.js/);
  await expect(init('mine')).rejects.toMatchObject({ exitCode: 2 });
  expect(await readdir(join(cwd, 'mine'))).toEqual(['src']);
  expect(await readFile(join(cwd, 'mine/src/log.js'), 'utf8')).toBe('mine');
});

test.each(['chta', '../src', '', 'gitignore'])('%j is no template', async (template) => {
  const error = init('x', template);
  await expect(error).rejects.toThrowError(`There is no template "${template}".`);
  await expect(error).rejects.toThrowError('sluice init --template chat');
});
