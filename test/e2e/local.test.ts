import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { bin, cloudPid, cloudPort, endOf, hurried, makePlace, root, whoServes } from './kit.ts';

const place = await makePlace();
const { sluice } = place;

const started = z.strictObject({ version: z.literal(1), port: z.int(), started: z.boolean() });
const local = async (command: string): Promise<unknown> => {
  const { exitCode, stdout, stderr } = await sluice(['local', ...command.split(' '), '--json']);
  expect([exitCode, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
};

describe('sluice local', () => {
  test('two starters at once make one', async () => {
    const both = await Promise.all([local('start'), local('start'), local('start')]);
    const starts = both.map((document) => started.parse(document));
    expect(new Set(starts.map(({ port }) => port)).size).toBe(1);
    expect(starts.filter((start) => start.started)).toHaveLength(1);
    expect(await local('status')).toMatchObject({
      state: 'running',
      port: starts[0]?.port,
      home: place.home,
      services: [],
    });
  });

  test('a service outlives a stop and a start, on the same URL', async () => {
    await place.configure(hurried);
    expect((await sluice(['deploy', 'staging', '--local'])).exitCode).toBe(0);
    const before = await whoServes(place);
    const text = await sluice(['local', 'status']);
    expect(text.stdout).toContain(before?.url);
    expect(await local('stop')).toEqual({ version: 1, stopped: true });
    await expect(fetch(before?.url ?? '')).rejects.toThrow();
    expect(await local('stop')).toEqual({ version: 1, stopped: false });
    expect(await local('status')).toMatchObject({ state: 'stopped' });
    expect(started.parse(await local('start')).started).toBe(true);
    expect(await whoServes(place)).toEqual(before);
  });

  test('one that was built from other code is replaced, and its services stay', async () => {
    const before = await whoServes(place);
    const pid = await cloudPid(place);
    const other = await copyOfDist();
    await writeFile(join(other, 'dist/build.json'), JSON.stringify({ stamp: 'other' }));
    const { stdout, exitCode } = await execa(
      process.execPath,
      [join(other, 'dist/src/main.js'), 'local', 'start', '--json'],
      {
        cwd: place.dir,
        env: { SLUICE_HOME: place.home },
      },
    );
    expect(exitCode).toBe(0);
    expect(started.parse(JSON.parse(stdout)).started).toBe(true);
    expect(await cloudPid(place)).not.toBe(pid);
    // And back again, by the next command that needs it.
    expect(await whoServes(place)).toEqual(before);
  });

  test('one that was killed is started again, with what it knew', async () => {
    const before = await whoServes(place);
    process.kill(await cloudPid(place), 'SIGKILL');
    expect(await whoServes(place)).toEqual(before);
  });

  test('reset forgets everything', async () => {
    expect(await local('reset')).toEqual({ version: 1, home: place.home });
    expect(await readdir(place.home)).toEqual([]);
    const { stdout } = await sluice(['status', 'staging', '--local']);
    expect(stdout).toMatch(/does not exist yet\n→ sluice deploy staging --local$/);
  });

  test("a folder that holds somebody else's files is not touched", async () => {
    const { exitCode, stderr } = await sluice(['local', 'reset'], { env: { SLUICE_HOME: place.dir } });
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/^✖ .* is not a folder of the local cloud[\s\S]*→ .*SLUICE_HOME/);
    expect(await readdir(place.dir)).toContain('sluice.yaml');
  });
});

describe('what rehearses with gcloud and against trouble', () => {
  test('the exports say where gcloud finds the local cloud, whatever the path of its folder', async () => {
    const env = { SLUICE_HOME: join(place.dir, "it's $HOME") };
    const { exitCode, stdout, stderr } = await sluice(['local', 'env', '--region', 'europe-west1'], { env });
    onTestFinished(() => sluice(['local', 'stop'], { env }).then(() => {}));
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringMatching(/^gcloud speaks to the local cloud on 127\.0\.0\.1:\d+, project chat-staging$/),
    ]);
    const inShell = async (script: string, ...args: string[]) => {
      const bare = { env: { PATH: process.env['PATH'] }, extendEnv: false };
      return (await execa('sh', ['-c', script, 'sh', ...args], bare)).stdout.split('\n');
    };
    const lines = await inShell('eval "$1"; env', stdout);
    expect(lines).toContain(`CLOUDSDK_CONFIG=${env.SLUICE_HOME}/gcloud`);
    expect(lines).toContain('CLOUDSDK_CORE_PROJECT=chat-staging');
    expect(lines).toContain('CLOUDSDK_RUN_REGION=europe-west1');
    const { stdout: undone } = await sluice(['local', 'env', '--unset']);
    const after = await inShell('eval "$1"; eval "$2"; env', stdout, undone);
    expect(after.filter((line) => line.startsWith('CLOUDSDK_'))).toEqual([]);
  });

  test('a fault is added, strikes, is listed and cleared; a wrong one is refused by the nearest name', async () => {
    const add = (...flags: string[]) => sluice(['local', 'fault', 'add', '--api', 'run', ...flags]);
    const wrong = await add('--method', 'ListServcies', '--latency', '1s');
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringMatching(/did you mean ListServices\?/)]);
    const added = await add('--method', 'ListServices', '--code', 'UNAVAILABLE', '--times', '2');
    expect(added.stdout).toBe('f1  run ListServices  fails with UNAVAILABLE  0 of 2 times');
    const url = `http://127.0.0.1:${await cloudPort(place)}/v2/projects/p/locations/r/services`;
    expect([(await fetch(url)).status, (await fetch(url)).status, (await fetch(url)).status]).toEqual([
      503, 503, 200,
    ]);
    expect(await local('fault list')).toMatchObject({ faults: [{ id: 'f1', hits: 2 }] });
    expect(await local('fault clear')).toMatchObject({ cleared: [{ id: 'f1' }] });
    expect((await sluice(['local', 'fault', 'list'])).stderr).toBe('there are no faults');
  });

  test('a latency profile holds at once, and outlives a stop', async () => {
    const slow = { profile: 'cloud', factor: 0.01 };
    expect(await local('start --latency-profile cloud --latency-factor .01')).toMatchObject({
      latency: slow,
    });
    expect(await local('stop')).toMatchObject({ stopped: true });
    expect(await local('start')).not.toHaveProperty('latency');
    expect(await local('status')).toMatchObject({ latency: slow });
    expect((await sluice(['local', 'status'])).stdout).toContain('as slow as the real thing × 0.01');
    await local('start --latency-profile none');
    expect(await local('status')).toMatchObject({ latency: { profile: 'none' } });
  });
});

describe('sluice init', () => {
  test('makes a service that deploys', async () => {
    const made = await sluice(['init', 'mine', '--template', 'chat']);
    expect(made.exitCode).toBe(0);
    expect(made.stdout).toMatch(/^✔ mine\/sluice\.yaml$/m);
    expect(made.stdout).toMatch(/^→ sluice deploy staging --local --dir mine$/m);
    const { exitCode, stdout } = await sluice(['deploy', 'staging', '--local', '--dir', 'mine']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('✔ chat is deployed to staging');
    expect(stdout).toMatch(/✔ database +post .*GET \/database answered 200 as expected/);
    const [url] = /http:\/\/127\.0\.0\.1:\d+$/m.exec(stdout) ?? [];
    expect(await (await fetch(`${url}/database`)).json()).toMatchObject({
      ...{ engine: 'postgres', user: 'postgres', version: expect.stringMatching(/^\d+\.\d+$/) },
      socket: '/cloudsql/chat-staging:us-central1:chat',
    });
  });

  test('never overwrites', async () => {
    const before = await readFile(join(place.dir, 'mine/sluice.yaml'), 'utf8');
    const { exitCode, stderr } = await sluice(['init', 'mine']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^✖ Nothing was written[\s\S]*mine\/sluice\.yaml[\s\S]*→ sluice init /);
    expect(await readFile(join(place.dir, 'mine/sluice.yaml'), 'utf8')).toBe(before);
  });
});

describe('the bin', () => {
  test('a checkout whose sources have changed since the build is not run', async () => {
    const checkout = await copyOfDist();
    for (const folder of ['src', 'commands'])
      await cp(join(root, folder), join(checkout, folder), { recursive: true });
    const run = async () =>
      endOf(
        await execa(process.execPath, [join(checkout, 'dist/src/main.js'), 'local', 'status'], {
          env: { SLUICE_HOME: place.home, FORCE_COLOR: undefined },
          reject: false,
        }),
      );
    expect((await run()).exitCode).toBe(0);
    await writeFile(join(checkout, 'src/errors.ts'), 'export {};\n');
    expect(await run()).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'sluice: dist was built from other sources than this checkout holds, so it is not run.\n→ npm run build',
    });
  });

  test('under an older Node it runs on the newer one of the checkout', async ({ skip }) => {
    const old = await olderNode();
    if (!old) return skip('every node on the PATH is new enough');
    const { exitCode, stdout } = await execa(old, [bin, 'local', 'status', '--json'], {
      env: { SLUICE_HOME: place.home },
    });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ version: 1 });
    const failed = await execa(old, [bin, 'deplyo'], { reject: false });
    expect(failed.exitCode).toBe(2);
  });
});

/** dist as a package would have it: without sources. */
async function copyOfDist(): Promise<string> {
  const folder = join(place.dir, `../copy-${Math.random().toString(36).slice(2)}`);
  await mkdir(folder);
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  for (const file of ['package.json', 'oclif.manifest.json']) await cp(join(root, file), join(folder, file));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** A `node` of the machine itself, not of node_modules, that is older than 24. */
async function olderNode(): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    if (folder.includes('node_modules')) continue;
    const node = join(folder, 'node');
    const { stdout, failed } = await execa(node, ['--version'], { reject: false });
    if (!failed && Number(stdout.slice(1).split('.')[0]) < 24) return node;
  }
  return undefined;
}
