import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  ensureLocalCloud,
  localCloudStatus,
  resetLocalCloud,
  stopLocalCloud,
} from '../../src/local/launcher.ts';
import { connect, create, parent, read, serviceMessage, tempHome } from './harness.ts';

const withImages = fileURLToPath(new URL('detached-server.ts', import.meta.url));
const main = fileURLToPath(new URL('../../src/local/main.ts', import.meta.url));

function detached(entry: string) {
  const home = tempHome();
  onTestFinished(async () => {
    await stopLocalCloud({ home });
  });
  const start = async () => {
    const { port } = await ensureLocalCloud({ home, stamp: 'a', entry });
    const status = await localCloudStatus({ home });
    if (status.state !== 'running') throw new Error('the local cloud does not run');
    return { port, pid: status.pid, ...connect(port) };
  };
  return { home, start };
}

const nameOf = (serviceId: string) => `${parent}/services/${serviceId}`;

test('a kill in the middle of many writes loses none that was answered, and all of them end', async () => {
  const { start } = detached(withImages);
  const first = await start();
  const { uri } = await create(first, serviceMessage({ invokerIamDisabled: true }), 'kept');

  const answered: { serviceId: string; operation: string }[] = [];
  const enough = Promise.withResolvers<void>();
  const all = Array.from({ length: 6 }, async (_, n) => {
    const serviceId = `new-${n}`;
    const [{ name }] = await first.services.createService({ parent, serviceId, service: serviceMessage() });
    answered.push({ serviceId, operation: name ?? '' });
    if (answered.length === 3) enough.resolve();
  });
  const update = {
    service: { name: nameOf('kept'), description: 'changed' },
    updateMask: { paths: ['description'] },
  };
  const [updated] = await first.services.updateService(update);
  await enough.promise;
  process.kill(first.pid, 'SIGKILL');
  await Promise.allSettled(all);

  const again = await start();
  expect((await read(again, nameOf('kept'))).description).toBe('changed');
  await (await again.services.checkUpdateServiceProgress(updated.name ?? '')).promise();
  for (const { serviceId, operation } of answered) {
    const progress = await again.services.checkCreateServiceProgress(operation);
    const [service] = await progress.promise();
    expect(service.name).toBe(nameOf(serviceId));
  }
  // What was not answered is there as a whole or not at all: nothing hangs half-made.
  const [services] = await again.services.listServices({ parent });
  expect(services.length).toBeGreaterThanOrEqual(answered.length + 1);
  for (const { name } of services) {
    await expect
      .poll(async () => (await read(again, name ?? '')).reconciling, { timeout: 20_000 })
      .toBe(false);
  }
  expect(await (await fetch(uri ?? '')).text()).toMatch(/^kept-00001-/);
});

/** As a disk with room for so many more bytes of the journal; without a number, as much as one likes. */
function leaveRoom(pid: number, home: string, bytes?: number): void {
  const limit = bytes === undefined ? 'unlimited' : statSync(path.join(home, 'state.journal')).size + bytes;
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${limit}:`]);
}

describe.runIf(process.platform === 'linux')('a full disk', () => {
  test('fails the call and nothing else, and is forgotten when there is room again', async () => {
    const { home, start } = detached(main);
    const { port, pid, services } = await start();
    const make = (serviceId: string) =>
      services.createService({ parent, serviceId, service: serviceMessage() });
    const names = async () => {
      const [all] = await services.listServices({ parent });
      return all.map(({ name }) => name?.split('/').at(-1));
    };
    await make('one');
    const ended = async (name: string) => (await services.checkCreateServiceProgress(name)).done;

    // Half of it fits, or nothing.
    for (const bytes of [200, 0]) {
      leaveRoom(pid, home, bytes);
      const failure: unknown = await make('two').catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 8, details: expect.stringContaining(home) });
      expect(failure).toMatchObject({ details: expect.stringContaining('`sluice local reset`') });
      expect(await names()).toEqual(['one']);
    }
    const answer = await fetch(`http://127.0.0.1:${port}/v1/projects/demo/secrets?secretId=s`, {
      method: 'POST',
      body: JSON.stringify({ replication: { automatic: {} } }),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(429);
    expect(await answer.json()).toMatchObject({ error: { status: 'RESOURCE_EXHAUSTED' } });

    // There is room for the answer, and none for what comes of it.
    leaveRoom(pid, home, 4000);
    const [operation] = await make('three');
    expect(await ended(operation.name ?? '')).toBe(false);
    leaveRoom(pid, home);
    await expect.poll(() => ended(operation.name ?? ''), { timeout: 10_000 }).toBe(true);
    await make('two');

    process.kill(pid, 'SIGKILL');
    const again = await start();
    const [all] = await again.services.listServices({ parent });
    expect(all.map(({ name }) => name)).toEqual(['one', 'three', 'two'].map(nameOf));
    expect(readFileSync(path.join(home, 'server.log'), 'utf8')).not.toMatch(/dropped|cannot read/);
    await resetLocalCloud({ home });
    const [left] = await (await start()).services.listServices({ parent });
    expect(left).toEqual([]);
  });
});
