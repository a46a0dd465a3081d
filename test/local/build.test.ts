import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CloudBuildClient, type protos as messages } from '@google-cloud/cloudbuild';
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { create } from 'tar';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type BuildBackend, openBuild } from '../../src/local/build/index.ts';
import { recordSchema } from '../../src/local/build/record.ts';
import type { NewLogEntry } from '../../src/local/contracts.ts';
import { complete } from '../../src/local/grpc.ts';
import { openCollection } from '../../src/local/journal/collection.ts';
import { type Journal, openJournal } from '../../src/local/journal/journal.ts';
import { type OperationStore, openOperations, operationsService } from '../../src/local/operations.ts';
import { loadProtos } from '../../src/local/protos.ts';
import { openStorage, type StorageBackend } from '../../src/local/storage/index.ts';

type Build = messages.google.devtools.cloudbuild.v1.IBuild;

const protos = loadProtos();
const buildDefinition = protos.service('google.devtools.cloudbuild.v1.CloudBuild');
const operationsDefinition = protos.service('google.longrunning.Operations');

const parent = 'projects/p/locations/us-central1';
const image = 'us-central1-docker.pkg.dev/p/sluice/chat:v1';
const pack = (...more: string[]) => ({
  name: 'gcr.io/k8s-skaffold/pack',
  entrypoint: 'pack',
  args: [
    'build',
    image,
    '--builder',
    'gcr.io/buildpacks/builder:latest',
    '--network',
    'cloudbuild',
    '--publish',
    ...more,
  ],
});

const docker = (...args: string[]) => ({ name: 'gcr.io/cloud-builders/docker', args });

let home: string;
let entries: NewLogEntry[];
let storage: StorageBackend;
let journal: Journal;
let operations: OperationStore;
let backend: BuildBackend;
let server: Server;
let client: CloudBuildClient;

beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-build-'));
  entries = [];
  await start();
  storage.ensureBucket('sources', 'p', 'us-central1');
});

afterEach(async () => {
  await stop();
  rmSync(home, { recursive: true, force: true });
});

async function start(): Promise<void> {
  storage = openStorage({ home });
  journal = openJournal({ home });
  operations = openOperations({ journal });
  backend = openBuild({
    home,
    journal,
    protos,
    storage,
    operations,
    logs: { write: (entry) => entries.push(entry) },
  });
  server = new Server();
  server.addService(buildDefinition, complete(buildDefinition, backend.service));
  server.addService(operationsDefinition, complete(operationsDefinition, operationsService(operations)));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  client = new CloudBuildClient({
    apiEndpoint: '127.0.0.1',
    port,
    projectId: 'p',
    sslCreds: credentials.createInsecure(),
    authClient: new PassThroughClient(),
  });
}

async function stop(): Promise<void> {
  await backend.stop();
  await client.close();
  operations.stop();
  await storage.stop();
  await journal.stop();
  server.forceShutdown();
}

const lockfile = (name = 'chat') =>
  JSON.stringify({
    name,
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name, version: '1.0.0' } },
  });

function manifest(fields: object = { scripts: { start: 'node server.js' } }): string {
  return JSON.stringify({ name: 'chat', version: '1.0.0', ...fields });
}

const service = {
  'package.json': manifest(),
  'package-lock.json': lockfile(),
  'server.js': 'console.log(1)',
};

/** Packs the files as a client does, uploads them, and returns the message's source. */
async function upload(files: Record<string, string>): Promise<Build['source']> {
  const folder = mkdtempSync(path.join(home, 'source-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  const archive = `${folder}.tgz`;
  await create({ file: archive, cwd: folder, gzip: true, portable: true }, Object.keys(files));
  return uploadArchive(readFileSync(archive));
}

async function uploadArchive(bytes: Uint8Array): Promise<Build['source']> {
  const { generation } = await storage.writeObject('sources', 'source.tgz', bytes);
  return { storageSource: { bucket: 'sources', object: 'source.tgz', generation } };
}

async function submit(build: Build): Promise<{ operation: string; id: string }> {
  const [operation] = await client.createBuild({
    parent,
    build: { steps: [pack()], images: [image], ...build },
  });
  const { id } = await newest();
  return { operation: String(operation.name), id: String(id) };
}

async function newest(): Promise<Build> {
  const [[build]] = await client.listBuilds({ parent });
  return build ?? {};
}

async function get(id: string): Promise<Build> {
  return (await client.getBuild({ name: `${parent}/builds/${id}` }))[0];
}

/** Submits, waits on the operation itself, and reads what became of the build. */
async function run(build: Build): Promise<Build> {
  const { operation, id } = await submit(build);
  const ended = await operations.wait(operation, 50_000);
  expect(ended?.done).toBe(true);
  return get(id);
}

async function logOf({ id, logsBucket }: Build): Promise<string> {
  const bytes = await storage.readObject(String(logsBucket).replace('gs://', ''), `log-${id}.txt`);
  return String(bytes);
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a Node service', () => {
  test('is built into an image with a digest, with its log as object and entries', async () => {
    const source = await upload(service);
    const [operation] = await client.createBuild({
      parent,
      build: { source: source ?? null, steps: [pack()], images: [image] },
    });
    const [built, metadata] = await operation.promise();
    expect(built.status).toBe(3);
    expect(metadata.build?.id).toBe(built.id);
    const build = await get(String(built.id));
    expect(build).toMatchObject({
      status: 'SUCCESS',
      projectId: 'p',
      logsBucket: 'gs://p_us-central1_cloudbuild',
    });
    expect(Number(build.finishTime?.seconds)).toBeGreaterThanOrEqual(Number(build.startTime?.seconds));
    const digest = build.results?.images?.[0]?.digest;
    expect(build.results?.images).toMatchObject([
      { name: image, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    ]);

    const made = backend.images.resolve(image);
    expect(made).toMatchObject({ digest, command: ['node', 'server.js'], env: { NODE_ENV: 'production' } });
    expect(readFileSync(path.join(made?.root ?? '', 'server.js'), 'utf8')).toBe('console.log(1)');
    expect(backend.images.resolve(`us-central1-docker.pkg.dev/p/sluice/chat@${digest}`)?.digest).toBe(digest);
    expect(backend.images.resolve(`elsewhere/chat@${digest}`)).toBeUndefined();

    const log = await logOf(build);
    expect(log).toContain('Running "npm ci" (NODE_ENV=production)');
    expect(log).toMatch(/\nDONE\n$/);
    expect(entries.map(({ textPayload }) => textPayload).join('\n')).toBe(log.trimEnd());
    expect(entries[0]).toMatchObject({
      logName: 'projects/p/logs/cloudbuild',
      resource: { type: 'build', labels: { build_id: build.id } },
    });
    expect(readdirSync(path.join(home, 'builds', 'work'))).toEqual([]);
  });

  test('has the same digest as long as its content is the same, and its packages are cached', async () => {
    const digestOf = async (files: Record<string, string>) => {
      const build = await run({ source: (await upload(files)) ?? null });
      return { digest: build.results?.images?.[0]?.digest, log: await logOf(build) };
    };
    const first = await digestOf(service);
    const again = await digestOf(service);
    const edited = await digestOf({ ...service, 'server.js': 'console.log(2)' });
    expect(again.digest).toBe(first.digest);
    expect(edited.digest).not.toBe(first.digest);
    expect([first, again, edited].map(({ log }) => log.includes('cached'))).toEqual([false, true, true]);
    expect(readdirSync(path.join(home, 'images')).filter((name) => name.length === 64)).toHaveLength(2);
  });

  test('runs its build script with the packages of development, and Procfile says how it starts', async () => {
    const build = await run({
      source:
        (await upload({
          ...service,
          Procfile: 'worker: nothing\nweb: node "dist/main.js" --port 1\n',
          'package.json': manifest({ scripts: { build: 'node build.js', start: 'false' } }),
          'build.js': `require('fs').mkdirSync('dist'); require('fs').writeFileSync('dist/main.js', process.env.HOME)`,
        })) ?? null,
    });
    expect(build.status).toBe('SUCCESS');
    const made = backend.images.resolve(image);
    expect(made?.command).toEqual(['node', 'dist/main.js', '--port', '1']);
    // The build's HOME is its own.
    expect(readFileSync(path.join(made?.root ?? '', 'dist/main.js'), 'utf8')).toContain(
      path.join(home, 'builds', 'work'),
    );
    expect(await logOf(build)).toContain('Running "npm ci" (NODE_ENV=development)');
  });

  test.runIf(process.platform === 'linux')('waits for nothing that its script leaves running', async () => {
    const pidFile = path.join(home, 'pid');
    const leave = `const { spawn } = require('child_process');
      const left = spawn('sleep', ['1000'], { detached: true, stdio: 'inherit' });
      left.unref();
      require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(left.pid));`;
    const build = await run({
      source:
        (await upload({
          ...service,
          'package.json': manifest({ scripts: { build: 'node leave.js', start: 'node server.js' } }),
          'leave.js': leave,
        })) ?? null,
    });
    expect(build.status).toBe('SUCCESS');
    await vi.waitFor(() => expect(isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false));
  });

  test('its log can be read while it grows', async () => {
    const gate = path.join(home, 'gate');
    const waiting = `console.log('waiting'); const t = setInterval(() => require('fs').existsSync(${JSON.stringify(gate)}) && clearInterval(t), 20)`;
    const source = await upload({
      ...service,
      'package.json': manifest({ scripts: { build: 'node wait.js', start: 'node server.js' } }),
      'wait.js': waiting,
    });
    const { id, operation } = await submit({ source: source ?? null });
    await vi.waitFor(async () => expect(await logOf(await get(id))).toContain('waiting'), 30_000);
    expect((await get(id)).status).toBe('WORKING');
    writeFileSync(gate, '');
    await operations.wait(operation, 30_000);
    expect(await logOf(await get(id))).toContain('DONE');
  });
});

describe('a build that fails says why', () => {
  test.each([
    ['no package.json', { 'app.py': '' }, /No buildpack groups passed detection\./],
    [
      'a failing build script',
      { ...service, 'package.json': manifest({ scripts: { build: 'exit 7', start: 'node server.js' } }) },
      /ERROR: "npm run build" exited with non-zero status: 7/,
    ],
    [
      'a lockfile that does not match',
      { ...service, 'package.json': manifest({ dependencies: { nothing: '1.0.0' } }) },
      /"npm ci" exited with non-zero status: 1/,
    ],
    ['a broken package.json', { 'package.json': '{' }, /package.json is not JSON/],
    [
      'no way to start',
      { 'package.json': manifest({}), 'package-lock.json': lockfile() },
      /main or start script/,
    ],
    [
      'another package manager',
      { 'package.json': manifest(), 'yarn.lock': '' },
      /npm only, not from yarn.lock/,
    ],
  ])('%s', async (_what, files, detail) => {
    const build = await run({ source: (await upload(files)) ?? null });
    expect(build).toMatchObject({
      status: 'FAILURE',
      failureInfo: {
        type: 'USER_BUILD_STEP',
        detail:
          'Build step failure: build step 0 "gcr.io/k8s-skaffold/pack" failed: step exited with non-zero status: 1',
      },
    });
    expect(await logOf(build)).toMatch(detail);
  });

  test.each([
    ['absent', undefined, /does not exist/],
    ['no archive', Buffer.from('not a tgz'), /unpack/],
  ])('a source that is %s', async (_what, bytes, detail) => {
    const source = bytes
      ? await uploadArchive(bytes)
      : { storageSource: { bucket: 'sources', object: 'gone' } };
    const build = await run({ source: source ?? null });
    expect(build).toMatchObject({
      status: 'FAILURE',
      failureInfo: { type: 'FETCH_SOURCE_FAILED', detail: expect.stringMatching(detail) },
    });
  });

  test('an image that no step makes', async () => {
    const build = await run({ source: (await upload(service)) ?? null, images: [image, 'gcr.io/p/other'] });
    expect(build).toMatchObject({ status: 'FAILURE', failureInfo: { type: 'PUSH_IMAGE_NOT_FOUND' } });
  });

  test('its operation carries the error and still the metadata', async () => {
    const source = await upload({ 'x.txt': '' });
    const [operation] = await client.createBuild({
      parent,
      build: { source: source ?? null, steps: [pack()] },
    });
    await expect(operation.promise()).rejects.toMatchObject({ code: 2, message: /check build logs/ });
  });
});

describe('a build that is ended', () => {
  const sleeper = (pidFile: string) => ({
    ...service,
    'package.json': manifest({ scripts: { build: 'node sleep.js', start: 'node server.js' } }),
    'sleep.js': `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000)`,
  });

  async function begin(build: Build = {}): Promise<{ id: string; operation: string; pid: number }> {
    const pidFile = path.join(home, 'pid');
    const submitted = await submit({ source: (await upload(sleeper(pidFile))) ?? null, ...build });
    await vi.waitFor(
      () => expect(existsSync(pidFile) && readFileSync(pidFile, 'utf8')).toMatch(/\d/),
      30_000,
    );
    return { ...submitted, pid: Number(readFileSync(pidFile, 'utf8')) };
  }

  test('by its caller: CANCELLED, and its processes are gone', async () => {
    const { id, pid } = await begin();
    const [cancelled] = await client.cancelBuild({ name: `${parent}/builds/${id}` });
    expect(cancelled.status).toBe('CANCELLED');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false));
    await expect(client.cancelBuild({ name: `${parent}/builds/${id}` })).rejects.toMatchObject({ code: 9 });
  });

  test('by its timeout', async () => {
    const { id, operation, pid } = await begin({ timeout: { seconds: 4 } });
    await operations.wait(operation, 30_000);
    expect((await get(id)).status).toBe('TIMEOUT');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false));
  });

  test('by a stop of the cloud; what waited has expired, and both are told after the restart', async () => {
    const { id, pid } = await begin();
    await stop();
    expect(isAlive(pid)).toBe(false);
    journal = openJournal({ home });
    const records = openCollection({ journal, name: 'builds', schema: recordSchema, keyOf: (one) => one.id });
    const record = records.get(id) ?? expect.fail('the build is lost');
    expect(record.status).toBe('INTERNAL_ERROR');
    // As a kill leaves it.
    await Promise.all([
      records.put({ ...record, status: 'WORKING' }),
      records.put({ ...record, id: 'queued', status: 'QUEUED' }),
    ]);
    await journal.stop();
    mkdirSync(path.join(home, 'builds', 'work', id), { recursive: true });
    await start();
    expect(await get(id)).toMatchObject({ status: 'INTERNAL_ERROR', statusDetail: /while the build ran/ });
    expect(await get('queued')).toMatchObject({ status: 'EXPIRED', statusDetail: /before the build began/ });
    expect(readdirSync(path.join(home, 'builds', 'work'))).toEqual([]);
  });
});

describe('requests', () => {
  const source = { storageSource: { bucket: 'sources', object: 'x' } };

  test.each<[string, Build, RegExp]>([
    [
      'a step',
      { steps: [{ name: 'golang:1.22', args: ['go', 'build'] }] },
      /no builder 'golang:1.22'; it has/,
    ],
    ['no step', { steps: [] }, /no build steps are specified/],
    [
      'a builder',
      { steps: [{ ...pack(), args: ['build', image, '--builder', 'x'] }] },
      /only --builder gcr.io\/buildpacks\/builder:latest, not 'x'/,
    ],
    ['an option of pack', { steps: [pack('--volume', 'a:b')] }, /pack build.*--volume/],
    ['a variable of pack', { steps: [pack('--env', 'GOOGLE_RUNTIME=php')] }, /variable GOOGLE_RUNTIME/],
    ['a script', { steps: [{ ...pack(), script: 'echo' }] }, /no script in 'gcr.io\/k8s-skaffold\/pack'/],
    ['a tool of docker', { steps: [docker('compose', 'up')] }, /'docker compose'/],
    ['an option of docker', { steps: [docker('build', '--squash', '.')] }, /docker build.*--squash/],
    ['a remote context', { steps: [docker('build', 'https://x/y.git')] }, /from a folder only/],
    ['a platform', { steps: [docker('build', '--platform', 'linux/arm64', '.')] }, /linux\/arm64/],
    ['a dir outside', { steps: [{ ...docker('push', 'a/b'), dir: '../etc' }] }, /dir in \/workspace/],
    ['a secret', { steps: [{ ...docker('push', 'a/b'), secretEnv: ['S'] }] }, /build.steps.0.secretEnv/],
    [
      'an unknown step',
      {
        steps: [
          { ...docker('push', 'a/b'), waitFor: ['later'] },
          { ...pack(), id: 'later' },
        ],
      },
      /build step #0 depends on "later", which has not been defined/,
    ],
    [
      'an id twice',
      { steps: [pack(), pack()].map((step) => ({ ...step, id: 'x' })) },
      /"x": the ID is not unique/,
    ],
    [
      'a long step',
      { steps: [{ ...pack(), timeout: { seconds: 700 } }] },
      /\.timeout in build step #0.*must be <= build timeout/,
    ],
    [
      'an unused substitution',
      { substitutions: { _A: '1' } },
      /"_A" in the substitution data is not matched/,
    ],
    [
      'a substitution of its own',
      { substitutions: { PROJECT_ID: 'q' } },
      /"PROJECT_ID" does not respect format/,
    ],
    [
      'artifacts elsewhere',
      { artifacts: { objects: { location: 's3://x', paths: ['a'] } } },
      /must begin with 'gs:/,
    ],
    ['secrets', { availableSecrets: { inline: [{ kmsKeyName: 'k' }] } }, /build.availableSecrets/],
    ['a pool', { options: { pool: { name: 'x' } } }, /build.options.pool/],
    ['a repository', { source: { repoSource: { repoName: 'x' } } }, /build.source/],
    ['an unknown substitution', { images: ['gcr.io/p/$_NOPE'] }, /"_NOPE"/],
    ['an image name', { images: ['UPPER/case'] }, /invalid image name "UPPER\/case"/],
    ['a service account without logs', { serviceAccount: 'projects/p/serviceAccounts/x' }, /logs_bucket/],
  ])('%s is refused by name', async (_what, fields, details) => {
    await expect(submit({ source, ...fields })).rejects.toMatchObject({ code: 3, details });
  });

  test('builds are listed newest first in pages, by place', async () => {
    const ids = [];
    for (let count = 0; count < 3; count += 1) ids.push((await submit({ source })).id);
    const [builds] = await client.listBuilds({ parent, pageSize: 2 });
    expect(builds.map(({ id }) => id)).toEqual(ids.reverse());
    expect((await client.listBuilds({ projectId: 'p' }))[0]).toEqual([]);
    await expect(get('nothing')).rejects.toMatchObject({ code: 5 });
  });

  test('a global build is read by project and id, and logs to entries only when asked', async () => {
    const build = {
      source,
      steps: [pack()],
      substitutions: { _TAG: 'v2' },
      options: { logging: 'CLOUD_LOGGING_ONLY' as const },
      images: ['gcr.io/$PROJECT_ID/x:$_TAG'],
    };
    const [operation] = await client.createBuild({ projectId: 'p', build });
    expect(String(operation.name)).toMatch(/^operations\/build\/p\//);
    await operations.wait(String(operation.name), 30_000);
    const [listed] = (await client.listBuilds({ projectId: 'p' }))[0];
    const [read] = await client.getBuild({ projectId: 'p', id: listed?.id ?? '' });
    expect(read).toMatchObject({ status: 'FAILURE', images: ['gcr.io/p/x:v2'], logsBucket: '' });
    expect(entries.length).toBeGreaterThan(0);
  });
});
