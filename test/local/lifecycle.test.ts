import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LocalCloudError } from '../../src/local/errors.ts';
import { defaultHome } from '../../src/local/home.ts';
import { encodeLine } from '../../src/local/journal/lines.ts';
import {
  ensureLocalCloud,
  localCloudStatus,
  resetLocalCloud,
  stopLocalCloud,
} from '../../src/local/launcher.ts';
import { startLocalCloud } from '../../src/local/server.ts';
import { chat, connect, create, parent, read, serviceMessage, startCloud, tempHome } from './harness.ts';

const entry = fileURLToPath(new URL('../../src/local/main.ts', import.meta.url));

function detachedHome(): string {
  const home = tempHome();
  onTestFinished(async () => {
    await stopLocalCloud({ home });
  });
  return home;
}

const ensure = (home: string, stamp = 'a') => ensureLocalCloud({ home, stamp, entry });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function runningPid(home: string): Promise<number> {
  const status = await localCloudStatus({ home });
  if (status.state !== 'running') throw new Error('no local cloud runs');
  return status.pid;
}

describe('the detached local cloud', () => {
  test('is one server however many start it at once', async () => {
    const home = detachedHome();
    const starts = await Promise.all([ensure(home), ensure(home), ensure(home)]);
    expect(new Set(starts.map(({ port }) => port)).size).toBe(1);
    expect(starts.filter(({ started }) => started)).toHaveLength(1);
    expect(await ensure(home)).toEqual({ port: starts[0].port, started: false });
  });

  test('is replaced, on the same port, when it was built from other sources', async () => {
    const home = detachedHome();
    const first = await ensure(home, 'old');
    const pid = await runningPid(home);
    const second = await ensure(home, 'new');
    expect(second).toEqual({ port: first.port, started: true });
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(await localCloudStatus({ home })).toMatchObject({ state: 'running', stamp: 'new', home });
  });

  test('stops when asked, and says when there is nothing to stop', async () => {
    const home = detachedHome();
    expect(await localCloudStatus({ home })).toEqual({ state: 'stopped', home });
    expect(await stopLocalCloud({ home })).toBe(false);
    await ensure(home);
    const pid = await runningPid(home);
    expect(await stopLocalCloud({ home })).toBe(true);
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(await localCloudStatus({ home })).toEqual({ state: 'stopped', home });
  });

  test('keeps what it acknowledged when it is killed', async () => {
    const home = detachedHome();
    const { services } = connect((await ensure(home)).port);
    const [operation] = await services.createService({
      parent,
      serviceId: 'chat',
      service: serviceMessage(),
    });
    process.kill(await runningPid(home), 'SIGKILL');

    const again = connect((await ensure(home)).port);
    expect((await read(again)).name).toBe(chat);
    const resumed = await again.services.checkCreateServiceProgress(operation.name ?? '');
    await expect(resumed.promise()).rejects.toThrow(/Image 'images\/good:1' not found/);
  });

  test('leaves no process behind when it is killed, and serves again after the next start', async () => {
    const home = detachedHome();
    const withImages = fileURLToPath(new URL('detached-server.ts', import.meta.url));
    const start = () => ensureLocalCloud({ home, stamp: 'a', entry: withImages });
    const { uri } = await create(connect((await start()).port), serviceMessage({ invokerIamDisabled: true }));
    const portOfInstance = async () => Number(await (await fetch(`${uri}/port`)).text());
    const isAnswered = (port: number) =>
      fetch(`http://127.0.0.1:${port}`).then(
        () => true,
        () => false,
      );
    const former = await portOfInstance();
    expect(await isAnswered(former)).toBe(true);
    process.kill(await runningPid(home), 'SIGKILL');
    await start();
    await expect.poll(() => isAnswered(former)).toBe(false);
    expect(await portOfInstance()).toBeGreaterThan(0);
  });

  test('stops only for those who can read its home', async () => {
    const home = detachedHome();
    const { port } = await ensure(home);
    const refused = await fetch(`http://127.0.0.1:${port}/local/stop`, { method: 'POST' });
    expect(refused.status).toBe(403);
    expect((await localCloudStatus({ home })).state).toBe('running');
  });

  const fromTheFuture = encodeLine({ collection: 'services', key: 'demo/x/chat', json: '{}' }, true);

  test.for([
    ['state.journal', fromTheFuture],
    ['lock.db', '{broken'],
  ] as const)('says why it did not start: %s is broken', async ([file, content]) => {
    const home = detachedHome();
    await ensure(home);
    await stopLocalCloud({ home });
    writeFileSync(path.join(home, file), content);
    const failure = await ensure(home).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LocalCloudError);
    expect(failure).toMatchObject({
      what: 'The local cloud did not start.',
      why: expect.stringContaining(file),
      next: expect.arrayContaining(['sluice local reset']),
    });
    // No stack.
    expect((failure as LocalCloudError).why).not.toMatch(/^\s+at /m);
    await resetLocalCloud({ home });
    expect((await ensure(home)).started).toBe(true);
  });
});

describe('the home', () => {
  test('is emptied by a reset', async () => {
    const home = detachedHome();
    const { services } = connect((await ensure(home)).port);
    await services.createService({ parent, serviceId: 'chat', service: serviceMessage() });
    await resetLocalCloud({ home });
    expect(readdirSync(home)).toEqual([]);
    await resetLocalCloud({ home });
  });

  test.for([
    ['a reset', (home: string) => resetLocalCloud({ home })],
    ['a start', (home: string) => ensure(home)],
  ] as const)('of somebody else is not touched by %s', async ([, act]) => {
    const home = tempHome();
    mkdirSync(home);
    const letter = path.join(home, 'letter.txt');
    writeFileSync(letter, 'Dear diary');
    await expect(act(home)).rejects.toThrow(/is not a folder of the local cloud/);
    expect(readFileSync(letter, 'utf8')).toBe('Dear diary');
    expect(readdirSync(home)).toEqual(['letter.txt']);
  });

  test('has one server', async () => {
    const home = tempHome();
    await startCloud({ home });
    await expect(startLocalCloud({ home })).rejects.toThrow(/runs already/);
  });

  test.for([
    [{ SLUICE_HOME: '/x/y' }, 'linux', /^\/x\/y$/],
    [{ XDG_STATE_HOME: '/state' }, 'linux', /^\/state\/sluice$/],
    [{}, 'linux', /\/\.local\/state\/sluice$/],
    [{}, 'darwin', /\/Library\/Application Support\/sluice$/],
    [{ LOCALAPPDATA: '/local' }, 'win32', /^\/local\/sluice$/],
  ] as const)('by default, with %j on %s', ([env, platform, expected]) => {
    expect(defaultHome(env, platform)).toMatch(expected);
  });
});

test('a restart brings services back on their URLs', async () => {
  const home = tempHome();
  const first = await startCloud({ home });
  const created = await create(connect(first.port), serviceMessage({ invokerIamDisabled: true }));
  const uri = created.uri ?? '';
  const answer = async () => (await fetch(uri)).text();
  const revision = created.latestReadyRevision?.split('/').at(-1);
  expect(await answer()).toBe(revision);
  await first.stop();
  await expect(answer()).rejects.toThrow();

  const second = await startCloud({ home });
  expect(second.port).toBe(first.port);
  expect(second.services()).toEqual([expect.objectContaining({ service: 'chat', uri, ready: true })]);
  expect(await answer()).toBe(revision);
  expect((await read(connect(second.port))).etag).toBe(created.etag);
});

test('what is no part of it gets a 404 of Google’s shape', async () => {
  const { port } = await startCloud({ home: tempHome() });
  const response = await fetch(`http://127.0.0.1:${port}/v9/nothing`);
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({
    error: { code: 404, status: 'NOT_FOUND', message: expect.stringContaining('/v9/nothing') },
  });
});

test('an ID token opens a private service, and nothing else does', async () => {
  const { port } = await startCloud({ home: tempHome() });
  const { uri } = await create(connect(port));
  const mint = (audience: string) =>
    fetch(
      `http://127.0.0.1:${port}/v1/projects/-/serviceAccounts/ci@demo.iam.gserviceaccount.com:generateIdToken`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ audience, includeEmail: true }),
      },
    ).then(async (response) => ((await response.json()) as { token: string }).token);
  const ask = async (token: string) =>
    (await fetch(uri ?? '', { headers: { authorization: `Bearer ${token}` } })).status;

  expect((await fetch(uri ?? '')).status).toBe(403);
  expect(await ask('a.b.c')).not.toBe(200);
  expect(await ask(await mint('http://elsewhere'))).not.toBe(200);
  expect(await ask(await mint(uri ?? ''))).toBe(200);
});
