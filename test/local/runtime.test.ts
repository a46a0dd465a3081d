import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Runtime } from '../../src/local/contracts.ts';
import { openRuntime } from '../../src/local/runtime/index.ts';
import {
  defaultProbe,
  MemoryLog,
  nodeRevision,
  noSecrets,
  server,
  temporaryFolder,
  text,
  until,
} from './runtime-kit.ts';

let home: string;
let logs: MemoryLog;
let runtime: Runtime;

beforeEach(() => {
  home = temporaryFolder();
  logs = new MemoryLog();
  runtime = openRuntime({ home, logs, secrets: noSecrets, restartMs: 50, pendingMs: 50, graceMs: 500 });
});

afterEach(async () => {
  await runtime.stop();
  rmSync(home, { recursive: true });
});

const get = async (port: number, url = '/') => (await fetch(`http://127.0.0.1:${port}${url}`)).text();

/** The only instance's own process: what runs innermost where a launcher stands before it. */
function applicationPid(): number {
  const [folder = ''] = readdirSync(path.join(home, 'instances'));
  const { pid } = JSON.parse(readFileSync(path.join(home, 'instances', folder, 'process.json'), 'utf8'));
  const children = `/proc/${pid}/task/${pid}/children`;
  const inner = existsSync(children) ? readFileSync(children, 'utf8').trim() : '';
  return Number(inner || pid);
}

describe('deploy', () => {
  test('reports a revision that listens as ready, with the lines of Cloud Run', async () => {
    const revision = nodeRevision(home, server());
    expect(await runtime.deploy(revision)).toEqual({ ready: true });
    expect(logs.of('varlog/system').map(({ severity, textPayload }) => [severity, textPayload])).toEqual([
      [
        'INFO',
        'Starting new instance. Reason: DEPLOYMENT_ROLLOUT - Instance started due to traffic shifting between revisions due to deployment, traffic split adjustment, or deployment health check.',
      ],
      ['INFO', 'Default STARTUP TCP probe succeeded after 1 attempt for container "chat-1" on port 8080.'],
    ]);
    const [entry] = logs.of('varlog/system');
    expect(entry?.resource).toEqual({
      type: 'cloud_run_revision',
      labels: {
        project_id: 'demo',
        location: 'europe-west1',
        service_name: 'chat',
        revision_name: revision.revision,
        configuration_name: 'chat',
      },
    });
    expect(entry?.labels?.['instanceId']).toMatch(/^[0-9a-f]{100,}$/);
  });

  test.each([
    ['exits 3', 'process.exit(3)', 'Container called exit(3).'],
    ['exits 0', '', 'Container called exit(0).'],
  ])('fails at once when the process %s before it listens', async (_, code, exit) => {
    const report = await runtime.deploy(nodeRevision(home, code, { port: 9000 }));
    expect(report).toMatchObject({ ready: false, reason: 'HEALTH_CHECK_CONTAINER_ERROR' });
    expect(!report.ready && report.message).toContain(
      'The user-provided container failed to start and listen on the port defined provided by the PORT=9000 environment variable within the allocated timeout. This can happen when the container port is misconfigured or if the timeout is too short.',
    );
    expect(logs.texts('varlog/system').slice(1)).toEqual([
      exit,
      'Default STARTUP TCP probe failed 1 time consecutively for container "chat-1" on port 9000. The instance was not started.\nConnection failed with status CANCELLED.',
    ]);
  });

  test('fails when nothing listens within the budget of the probe, and leaves no process', async () => {
    const startupProbe = { ...defaultProbe, timeoutSeconds: 0.3 };
    const code = "console.log('pid-in-cwd ' + process.cwd()); setInterval(() => {}, 1000)";
    const report = await runtime.deploy(nodeRevision(home, code, { startupProbe }));
    expect(report.ready).toBe(false);
    expect(logs.texts('varlog/system')[1]).toContain('Connection failed with status DEADLINE_EXCEEDED.');
    await until(() => readdirSync(path.join(home, 'instances')).length === 0);
  });

  test.runIf(process.platform === 'linux')(
    'does not find a service that listens on 127.0.0.1 alone',
    async () => {
      const startupProbe = { ...defaultProbe, timeoutSeconds: 0.5 };
      const code = "require('node:http').createServer().listen(Number(process.env.PORT), '127.0.0.1')";
      const report = await runtime.deploy(nodeRevision(home, code, { startupProbe }));
      expect(report).toMatchObject({ ready: false, reason: 'HEALTH_CHECK_CONTAINER_ERROR' });
    },
  );

  test.each([
    ['is not found', ['no-such-command'], 'no such file or directory'],
    ['is not executable', ['./main.js'], 'permission denied'],
  ])('says so when the command %s', async (_, command, why) => {
    const report = await runtime.deploy(nodeRevision(home, '', { command }));
    expect(report).toMatchObject({ ready: false, reason: 'HEALTH_CHECK_CONTAINER_ERROR' });
    expect(logs.texts('varlog/system')[1]).toMatch(
      new RegExp(`^Application failed to start: .*"${command[0]}" in PATH .*: ${why}$`),
    );
  });

  test('gives the process its contract and nothing of the host', async () => {
    process.env['HOST_SECRET'] = 'not for instances';
    const revision = nodeRevision(
      home,
      server('JSON.stringify({ env: process.env, argv: process.argv.slice(2) })'),
      {
        env: { FROM_REVISION: 'yes', PORT: '1' },
        args: ['--flag', '$(id)'],
      },
    );
    revision.image.env = { FROM_IMAGE: 'yes', FROM_REVISION: 'no' };
    await runtime.deploy(revision);
    delete process.env['HOST_SECRET'];
    const { port } = await runtime.acquire(revision);
    const { env, argv } = JSON.parse(await get(port));
    expect(env).toMatchObject({
      PORT: String(port),
      K_SERVICE: 'chat',
      K_REVISION: revision.revision,
      K_CONFIGURATION: 'chat',
      FROM_IMAGE: 'yes',
      FROM_REVISION: 'yes',
    });
    expect(env.PATH.split(':')[0]).toBe(path.dirname(process.execPath));
    expect(Object.keys(env).sort()).toEqual(
      [
        ...'PORT K_SERVICE K_REVISION K_CONFIGURATION FROM_IMAGE FROM_REVISION PATH HOME TMPDIR LANG'.split(
          ' ',
        ),
      ].sort(),
    );
    expect(argv).toEqual(['--flag', '$(id)']);
  });

  test('protects the image from what an instance writes', async () => {
    const revision = nodeRevision(
      home,
      server(
        "require('node:fs').readFileSync('state', 'utf8')",
        "require('node:fs').appendFileSync('state', 'x')",
      ),
    );
    const original = path.join(revision.image.root, 'state');
    writeFileSync(original, 'image:', { mode: 0o444 });
    await runtime.deploy(revision);
    const { port } = await runtime.acquire(revision);
    expect(await get(port)).toBe('image:x');
    const [folder = ''] = readdirSync(path.join(home, 'instances'));
    expect(statSync(path.join(home, 'instances', folder, 'app', 'state')).mode & 0o777).toBe(0o644);
    expect(readFileSync(original, 'utf8')).toBe('image:');
  });
});

describe('probes', () => {
  test('an HTTP probe passes when the path answers', async () => {
    const startupProbe = {
      ...defaultProbe,
      kind: 'http' as const,
      path: '/ready',
      periodSeconds: 0.05,
      timeoutSeconds: 1,
      failureThreshold: 50,
    };
    const code = `let n = 0; require('node:http').createServer((q, r) => { r.statusCode = q.url === '/ready' && ++n > 2 ? 200 : 503; r.end('not yet'); }).listen(process.env.PORT)`;
    expect(await runtime.deploy(nodeRevision(home, code, { startupProbe }))).toEqual({ ready: true });
    expect(logs.texts('varlog/system')[1]).toBe(
      'STARTUP HTTP probe succeeded after 3 attempts for container "chat-1" on port 8080 path "/ready".',
    );
  });

  test('an HTTP probe that keeps failing ends the instance with its last answer', async () => {
    const startupProbe = {
      ...defaultProbe,
      kind: 'http' as const,
      path: '/',
      periodSeconds: 0.05,
      timeoutSeconds: 1,
      failureThreshold: 3,
    };
    const code = `require('node:http').createServer((q, r) => { r.statusCode = 503; r.end('db not yet connected'); }).listen(process.env.PORT)`;
    const report = await runtime.deploy(nodeRevision(home, code, { startupProbe }));
    expect(!report.ready && report.message).toMatch(/failed the configured startup probe checks/);
    expect(logs.texts('varlog/system')).toContain(
      'STARTUP HTTP probe failed 3 times consecutively for container "chat-1" on port 8080 path "/". The instance was not started.\nHTTP request returned status 503 Service Unavailable.\nContents: db not yet connected',
    );
  });
});

describe('life after readiness', () => {
  test('an instance that dies is started again only by a request', async () => {
    const revision = nodeRevision(home, server('process.env.PORT'));
    await runtime.deploy(revision);
    const first = await runtime.acquire(revision);
    await get(first.port, '/exit').catch(() => undefined);
    first.release();
    await logs.seen('varlog/system', text('Container called exit(3).'));
    expect(logs.texts('varlog/system').filter((line) => line.startsWith('Starting'))).toHaveLength(1);
    const second = await runtime.acquire(revision);
    expect(await get(second.port)).toBe(String(second.port));
    expect(logs.texts('varlog/system').find((line) => line.includes('AUTOSCALING'))).toContain(
      'Starting new instance. Reason: AUTOSCALING - Instance started due to',
    );
  });

  test('a minimum starts it again and again', async () => {
    const revision = nodeRevision(home, `${server()}; setTimeout(() => process.exit(3), 100)`);
    await runtime.deploy(revision);
    runtime.keep(revision, 1);
    await logs.seen('varlog/system', text('Reason: MANUAL_OR_CUSTOMER_MIN_INSTANCE'), 2);
    await logs.seen('varlog/system', text('Container called exit(3).'), 3);
    runtime.keep(revision, 0);
  });

  test.each([
    ['by the launcher', undefined],
    ['alone', []],
  ])('a signal is reported by its number when started %s', async (_, launcher) => {
    const own = openRuntime({ home, logs, secrets: noSecrets, ...(launcher && { launcher }) });
    await own.deploy(nodeRevision(home, server()));
    process.kill(applicationPid(), 'SIGKILL');
    const [entry] = await logs.seen('varlog/system', text('Container terminated on signal 9.'));
    expect(entry?.severity).toBe('WARNING');
    expect(logs.of('stderr')).toEqual([]);
    await own.stop();
  });

  test('an idle instance goes, one that a minimum keeps stays', async () => {
    const own = openRuntime({ home: `${home}/idle`, logs, secrets: noSecrets, graceMs: 2000 });
    const [idle, kept] = [nodeRevision(home, server()), nodeRevision(home, server())];
    await Promise.all([own.deploy(idle), own.deploy(kept).then(() => own.keep(kept, 1))]);
    const [first, held] = await Promise.all([own.acquire(idle), own.acquire(kept)]);
    first.release();
    held.release();
    own.setIdleTimeout(50);
    const answers = () =>
      get(first.port).then(
        () => true,
        () => false,
      );
    await expect.poll(answers).toBe(false);
    expect((await own.acquire(kept)).instanceId).toBe(held.instanceId);
    const cold = await own.acquire(idle);
    expect(await get(cold.port)).toBe('ok');
    expect(cold.instanceId).not.toBe(first.instanceId);
    await own.stop();
  });
});

describe('scaling', () => {
  test('starts another instance when all are full, then refuses', async () => {
    const revision = nodeRevision(home, server(), { concurrency: 1, maxInstances: 2 });
    await runtime.deploy(revision);
    const first = await runtime.acquire(revision);
    const second = await runtime.acquire(revision);
    expect(second.instanceId).not.toBe(first.instanceId);
    await expect(runtime.acquire(revision)).rejects.toMatchObject({ reason: 'no-capacity' });
    first.release();
    expect((await runtime.acquire(revision)).instanceId).toBe(first.instanceId);
  });

  test('hands a released place to who waits', async () => {
    const revision = nodeRevision(home, server(), { concurrency: 1, maxInstances: 1 });
    await runtime.deploy(revision);
    const first = await runtime.acquire(revision);
    const waiting = runtime.acquire(revision);
    first.release();
    first.release();
    expect((await waiting).instanceId).toBe(first.instanceId);
    await expect(runtime.acquire(revision)).rejects.toMatchObject({ reason: 'no-capacity' });
  });

  test('refuses when the instance does not start, and for a revision it does not know', async () => {
    const revision = nodeRevision(home, 'process.exit(1)');
    runtime.register(revision);
    await expect(runtime.acquire(revision)).rejects.toMatchObject({ reason: 'not-started' });
    await expect(runtime.acquire({ ...revision, revision: 'other' })).rejects.toMatchObject({
      reason: 'unknown-revision',
    });
  });
});

test('remove and stop leave neither process nor folder', async () => {
  // Ignores SIGTERM.
  const code = server().replace('process.exit(0)', '{}');
  const [a, b] = [nodeRevision(home, code), nodeRevision(home, code)];
  await Promise.all([runtime.deploy(a), runtime.deploy(b)]);
  const ports = await Promise.all([runtime.acquire(a), runtime.acquire(b)]);
  await runtime.remove(a);
  await expect(get(ports[0].port)).rejects.toThrow();
  expect(await get(ports[1].port)).toBe('ok');
  await runtime.stop();
  await expect(get(ports[1].port)).rejects.toThrow();
  expect(readdirSync(path.join(home, 'instances'))).toEqual([]);
  expect(existsSync(b.image.root)).toBe(true);
});

test.runIf(process.platform === 'linux')(
  'what a process has started goes with it, though it left its group and ignores SIGTERM',
  async () => {
    const daemon = `
      process.on('SIGTERM', () => {});
      require('node:http').createServer((q, r) => r.end('daemon')).listen(0, '127.0.0.1', function () {
        process.send(this.address().port);
      });`;
    const forks = `
      let port = '';
      if (process.argv[2] === 'daemon') { ${daemon} return; }
      const child = require('node:child_process').fork('main.js', ['daemon'], { detached: true });
      child.on('message', (message) => { port = message; });`;
    const code = `(() => { ${forks} ${server('port').replace('process.exit(0)', '{}')} })()`;
    const revision = nodeRevision(home, code);
    await runtime.deploy(revision);
    const { port } = await runtime.acquire(revision);
    let daemonPort = '';
    await expect.poll(async () => (daemonPort = await get(port))).toMatch(/\d/);
    expect(await get(Number(daemonPort))).toBe('daemon');
    await runtime.remove(revision);
    await expect(get(Number(daemonPort))).rejects.toThrow();
    await expect(get(port)).rejects.toThrow();
  },
);

test('stopping in the middle of a start leaves nothing and reports no readiness', async () => {
  const deploying = runtime.deploy(nodeRevision(home, 'setInterval(() => {}, 1000)'));
  await logs.seen('varlog/system', text('Starting new instance.'));
  await runtime.stop();
  expect((await deploying).ready).toBe(false);
  expect(readdirSync(path.join(home, 'instances'))).toEqual([]);
});
