import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

const valid = 'services: { chat: }\nenvironments: { staging: { project: p, region: r } }\n';
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  await mkdir(join(home, 'app/deep/er'), { recursive: true });
  await mkdir(join(home, 'empty'));
  await mkdir(join(home, 'folder/sluice.yaml'), { recursive: true });
  await writeFile(join(home, 'app/sluice.yaml'), valid);
  await writeFile(join(home, 'app/other.yaml'), valid.replace('chat', 'mail'));
  await writeFile(join(home, 'app/wrong.yaml'), valid.replace('project', 'projekt'));
  await writeFile(join(home, 'app/large.yaml'), `${valid}#${'x'.repeat(1024 * 1024)}\n`);
  await writeFile(join(home, 'app/latin.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]));
});

afterAll(() => rm(home, { recursive: true }));

const load = (dir: string, file?: string) =>
  loadConfig({ dir, cwd: home, env: {}, ...(file === undefined ? {} : { file }) });

test('sluice.yaml is found upwards, and its folder is the root', async () => {
  expect(await load('app/deep/er')).toMatchObject({
    file: join(home, 'app/sluice.yaml'),
    root: join(home, 'app'),
    services: ['chat'],
    environments: ['staging'],
  });
});

test('--config names another file', async () => {
  expect(await load('.', 'app/other.yaml')).toMatchObject({ services: ['mail'], root: join(home, 'app') });
});

test('problems name the file as a person would type it', async () => {
  await expect(load('.', 'app/wrong.yaml')).rejects.toThrowError(/^2 problems in app\/wrong\.yaml:/);
});

test('a missing sluice.yaml: where it was looked for, and how to begin', async () => {
  const error = load('empty');
  await expect(error).rejects.toThrowError(`Looked in ${join(home, 'empty')}, ${home}, `);
  await expect(error).rejects.toThrowError('sluice init --template chat');
  await expect(error).rejects.toMatchObject({ exitCode: 2 });
});

test.each([
  ['nope.yaml', 'There is no config file'],
  ['app/large.yaml', 'larger than 1 MiB'],
  ['app/latin.yaml', 'not UTF-8'],
  ['folder/sluice.yaml', 'not a file'],
])('%s: %s', async (file, said) => {
  await expect(load('.', file)).rejects.toThrowError(said);
});
