import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MountedVolume, RunnableRevision, Runtime } from '../../src/local/contracts.ts';
import { openRuntime, type RuntimeOptions } from '../../src/local/runtime/index.ts';
import { findMountingLauncher } from '../../src/local/runtime/launcher.ts';
import { namespaceArguments, rewriter } from '../../src/local/runtime/view.ts';
import { openVolumes } from '../../src/local/runtime/volumes.ts';
import { MemoryLog, nodeRevision, secretsOf, server, temporaryFolder, text } from './runtime-kit.ts';

const value = 'hunter2-of-the-test';
const secrets = secretsOf({ 'api-key': value, dsn: 'postgresql:///chat?host=/sluice-test/sql' });
const parts = { secrets, say: () => undefined, gone: new AbortController().signal };
const ref = { project: 'demo', secret: 'api-key', version: 'latest' };
const secretVolume: MountedVolume = {
  path: '/sluice-test/keys',
  kind: 'secret',
  files: [{ path: 'deep/api-key', mode: 0o440, ref }],
};
const scratch: MountedVolume = { path: '/var/run/sluice-test/scratch', kind: 'scratch', name: 'cache' };

let home: string;
let logs: MemoryLog;
const runtimes: Runtime[] = [];

beforeEach(() => {
  home = temporaryFolder();
  logs = new MemoryLog();
});

afterEach(async () => {
  await Promise.all(runtimes.splice(0).map((runtime) => runtime.stop()));
  rmSync(home, { recursive: true });
});

function openWith(options: Partial<RuntimeOptions> = {}): Runtime {
  const runtime = openRuntime({ home, logs, secrets, graceMs: 500, ...options });
  runtimes.push(runtime);
  return runtime;
}

async function answerOf(runtime: Runtime, revision: RunnableRevision): Promise<string> {
  expect(await runtime.deploy(revision)).toEqual({ ready: true });
  const { port } = await runtime.acquire(revision);
  return (await fetch(`http://127.0.0.1:${port}/`)).text();
}

const seen = `JSON.stringify({
  key: fs.readFileSync(process.env.KEY_FILE, 'utf8'),
  mode: (fs.statSync(process.env.KEY_FILE).mode & 0o777).toString(8),
  file: process.env.KEY_FILE,
  scratch: (fs.writeFileSync(process.env.SCRATCH + '/x', 'kept'), fs.readFileSync(process.env.SCRATCH + '/x', 'utf8')),
  cwd: process.cwd(), pid: process.pid,
})`;
const change = {
  env: { KEY_FILE: '/sluice-test/keys/deep/api-key', SCRATCH: '/var/run/sluice-test/scratch' },
  volumes: [secretVolume, scratch],
};
const program = server(seen, "const fs = require('node:fs');");

describe('volumes', async () => {
  const folder = temporaryFolder();
  const mountingLauncher = await findMountingLauncher(folder);
  rmSync(folder, { recursive: true });

  test.runIf(mountingLauncher)(
    'are where the process looks for them, and nowhere on the machine',
    async () => {
      const revision = nodeRevision(home, program, change);
      const answer = JSON.parse(await answerOf(openWith(), revision));
      expect(answer).toMatchObject({
        ...{ key: value, mode: '440', file: change.env.KEY_FILE, scratch: 'kept', pid: 1 },
      });
      expect(answer.cwd).toContain(home);
      expect(existsSync('/sluice-test')).toBe(false);
      expect(existsSync('/run/sluice-test')).toBe(false);
      expect(logs.texts('varlog/system').join()).not.toContain('mounted');
    },
  );

  test.runIf(mountingLauncher)('may lie within one another, in whatever order they are given', async () => {
    const key = (at: string): MountedVolume => ({ ...secretVolume, path: at });
    const inner: MountedVolume = { path: '/sluice-test/data/secret/tmp', kind: 'scratch', name: 'inner' };
    const outer: MountedVolume = { path: '/sluice-test/data', kind: 'scratch', name: 'outer' };
    const volumes = [inner, key('/sluice-test/data/secret'), outer];
    const tree = server(
      `(fs.writeFileSync('/sluice-test/data/secret/tmp/x', ''), fs.readdirSync('/sluice-test/data', { recursive: true }).sort().join(' '))`,
      "const fs = require('node:fs');",
    );
    const answer = await answerOf(openWith({ mountingLauncher }), nodeRevision(home, tree, { volumes }));
    expect(answer).toBe('secret secret/deep secret/deep/api-key secret/tmp secret/tmp/x');
  });

  test('may be placed in a folder that the user of the local cloud cannot list', async () => {
    const closed = path.join(realpathSync(home), 'closed');
    const target = path.join(closed, 'app');
    mkdirSync(path.join(closed, 'unseen'), { recursive: true });
    chmodSync(closed, 0);
    chmodSync(home, 0o755);
    // Root may list everything.
    const user = process.geteuid?.();
    if (user === 0) process.seteuid?.(65_534);
    try {
      const mount = { source: '/source', target, readOnly: false };
      const view = await namespaceArguments('/root-of-the-view', '/', [mount]);
      expect(view.filter((word) => word.startsWith(closed))).toEqual([closed, target]);
    } finally {
      if (user === 0) process.seteuid?.(0);
      chmodSync(closed, 0o700);
    }
  });

  test.each([[[]], [[scratch]]])(
    'an application has a search path without the tools that start it: %j',
    async (volumes) => {
      const env = { PATH: '/sluice-test/bin' };
      const revision = nodeRevision(home, server('process.env.PATH'), { env, volumes });
      expect(await answerOf(openWith(), revision)).toBe(`${path.dirname(process.execPath)}:/sluice-test/bin`);
    },
  );

  test('are named by their real place where nothing can be mounted, and the log says so', async () => {
    const revision = nodeRevision(home, program, change);
    const answer = JSON.parse(await answerOf(openWith({ mountingLauncher: undefined }), revision));
    expect(answer).toMatchObject({ key: value, mode: '440', scratch: 'kept' });
    expect(answer.file).toContain(home);
    await logs.seen('varlog/system', text('Nothing can be mounted on this machine: /sluice-test/keys is at'));
  });

  test('have a folder each, whatever their names, out of the reach of other users', async () => {
    const named: MountedVolume = { ...scratch, name: 'secret-0' };
    const opened = await openVolumes(
      path.join(home, 'i'),
      [secretVolume, named, { ...named, path: '/b' }],
      parts,
    );
    const [secret, ...scratches] = opened.map(({ source }) => path.relative(path.join(home, 'i'), source));
    expect(secret).toBe('volumes/secret-0');
    expect(scratches).toEqual(['volumes/scratch-secret-0', 'volumes/scratch-secret-0']);
    expect(statSync(path.join(home, 'i', 'volumes')).mode & 0o777).toBe(0o700);
  });

  test('a path is put in the place of another only as a whole', () => {
    const rewrite = rewriter([
      { source: '/real/sql', target: '/cloudsql/p:r:i', readOnly: false },
      { source: '/real/keys', target: '/keys', readOnly: true },
    ]);
    expect(rewrite('/keys')).toBe('/real/keys');
    expect(rewrite('a=/keys/x:/keys2:/my/keys /keys')).toBe('a=/real/keys/x:/keys2:/my/keys /real/keys');
    expect(rewrite('postgres://u@%2Fcloudsql%2Fp%3Ar%3Ai/db')).toBe('postgres://u@%2Freal%2Fsql/db');
    expect(rewrite('host=/cloudsql/p:r:i/.s.PGSQL.5432')).toBe('host=/real/sql/.s.PGSQL.5432');
  });
});

describe('secrets', () => {
  test.each(['../../x', 'a\n/../../../x', '.'])(
    'are not written outside of their volume: %j',
    async (name) => {
      const volumes = [{ ...secretVolume, files: [{ path: name, mode: 0o440, ref }] }];
      await expect(openVolumes(path.join(home, 'i'), volumes, parts)).rejects.toThrow(
        'is not within its volume',
      );
      expect(readdirSync(path.join(home, 'i', 'volumes', 'secret-0'))).toEqual([]);
      expect(readdirSync(home)).toEqual(['i']);
    },
  );

  test('are in the environment of an instance and in no line of a log', async () => {
    const secretEnv = { API_KEY: ref };
    const revision = nodeRevision(home, server('process.env.API_KEY'), { secretEnv });
    expect(await answerOf(openWith(), revision)).toBe(value);
    expect(JSON.stringify(logs.entries)).not.toContain(value);
  });

  test('one that cannot be read keeps an instance from starting', async () => {
    const secretEnv = { API_KEY: { ...ref, secret: 'none' } };
    const report = await openWith().deploy(nodeRevision(home, server(), { secretEnv }));
    expect(report.ready).toBe(false);
    await logs.seen('varlog/system', text('Application failed to start: Secret none was not found'));
  });
});

test('an instance that fails its liveness probe is shut down, and a request starts another', async () => {
  const code = `let n = 0; require('node:http').createServer((q, r) => { r.statusCode = q.url === '/live' && ++n > 2 ? 500 : 200; r.end(String(process.pid)); }).listen(process.env.PORT)`;
  const livenessProbe = {
    kind: 'http' as const,
    ...{ path: '/live', port: 8080, httpHeaders: [], initialDelaySeconds: 0 },
    ...{ periodSeconds: 0.02, timeoutSeconds: 1, failureThreshold: 2 },
  };
  const runtime = openWith();
  const revision = nodeRevision(home, code, { livenessProbe });
  await runtime.deploy(revision);
  const first = await runtime.acquire(revision);
  await logs.seen(
    'varlog/system',
    text(
      'LIVENESS HTTP probe failed 2 times consecutively for container "chat-1" on port 8080 path "/live". The instance has been shut down.',
    ),
  );
  first.release();
  await logs.seen('varlog/system', text('Container terminated on signal 9.'));
  expect((await runtime.acquire(revision)).instanceId).not.toBe(first.instanceId);
});
