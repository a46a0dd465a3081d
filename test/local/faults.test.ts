import { LoggingServiceV2Client } from '@google-cloud/logging-api';
import { status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FaultSpec } from '../../src/local/faults/fault.ts';
import {
  chat,
  clientOptions,
  connect,
  create,
  parent,
  read,
  serviceMessage,
  startCloud,
  tempHome,
} from './harness.ts';

/** A cloud with a service, and one fault in it. */
async function faulty(fault: FaultSpec) {
  const cloud = await startCloud({ home: tempHome() });
  const clients = connect(cloud.port);
  await create(clients);
  cloud.inject(fault);
  return { cloud, clients };
}

const updateService = { api: 'run', method: 'UpdateService' } as const;
const getService = { api: 'run', method: 'GetService' } as const;

// A client that retries by itself would use a fault up unseen.
const once = { timeout: 3000, retry: null } as const;
const label = (value: string) => ({
  service: { name: chat, labels: { value } },
  updateMask: { paths: ['labels'] },
});

test('an error comes as often as it was injected, and has no effect', async () => {
  const message = 'Quota exceeded.';
  const { cloud, clients } = await faulty({
    ...updateService,
    code: 'RESOURCE_EXHAUSTED',
    message,
    times: 2,
  });
  for (let time = 0; time < 2; time++) {
    await expect(clients.services.updateService(label('new'), once)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: message,
    });
  }
  expect((await read(clients)).labels).toEqual({});
  await clients.services.updateService(label('new'), once);
  expect((await read(clients)).labels).toEqual({ value: 'new' });
  expect(cloud.faults()).toMatchObject([{ id: 'f1', times: 2, hits: 2 }]);
});

test('a lost reply hides a write that took effect', async () => {
  const { clients } = await faulty({
    ...updateService,
    dropReply: true,
    code: 'DEADLINE_EXCEEDED',
    times: 1,
  });
  await expect(clients.services.updateService(label('new'), once)).rejects.toMatchObject({
    code: status.DEADLINE_EXCEEDED,
    details: 'Injected fault f1: the call took effect, its reply was lost.',
  });
  expect((await read(clients)).labels).toEqual({ value: 'new' });
});

test('a latency outlasts a deadline, and goes with what else is wrong', async () => {
  const { cloud, clients } = await faulty({ ...getService, latencyMs: 5000, times: 1 });
  await expect(
    clients.services.getService({ name: chat }, { timeout: 100, retry: null }),
  ).rejects.toMatchObject({
    code: status.DEADLINE_EXCEEDED,
  });
  expect((await read(clients)).name).toBe(chat);
  cloud.inject({ api: 'run', latencyMs: 100 });
  cloud.inject({ ...getService, code: 'NOT_FOUND', times: 1 });
  cloud.inject({ ...getService, code: 'INTERNAL' });
  const start = performance.now();
  await expect(clients.services.getService({ name: chat }, once)).rejects.toMatchObject({ code: 5 });
  await expect(clients.services.getService({ name: chat }, once)).rejects.toMatchObject({ code: 13 });
  expect(performance.now() - start).toBeGreaterThan(198);
});

test('after a write, a stale read answers what was true before it', async () => {
  const { cloud, clients } = await faulty({ ...getService, staleReadMs: 60_000, times: 2 });
  await clients.services.updateService(label('old'), once);
  const before = await read(clients);
  expect(before.labels).toEqual({ value: 'old' });
  await clients.services.updateService(label('new'), once);
  expect((await read(clients)).labels).toEqual({ value: 'old' });
  expect((await read(clients)).labels).toEqual({ value: 'old' });
  expect((await read(clients)).labels).toEqual({ value: 'new' });
  expect(cloud.faults()).toMatchObject([{ hits: 2 }]);
  cloud.inject({ ...getService, staleReadMs: 150 });
  await clients.services.updateService(label('newest'), once);
  expect((await read(clients)).labels).toEqual({ value: 'new' });
  await expect.poll(async () => (await read(clients)).labels).toEqual({ value: 'newest' });
});

test('other methods are left alone', async () => {
  const { clients } = await faulty({ api: 'run', method: 'DeleteService', code: 'INTERNAL', times: 1 });
  expect((await read(clients)).name).toBe(chat);
  await expect(clients.services.deleteService({ name: chat }, once)).rejects.toMatchObject({
    code: status.INTERNAL,
  });
  expect((await clients.services.listServices({ parent }))[0]).toHaveLength(1);
  await clients.services.createService({ parent, serviceId: 'two', service: serviceMessage() }, once);
});

test('a probability strikes the same calls for the same seed, and about its part of them', async () => {
  const cloud = await startCloud({ home: tempHome() });
  const url = `http://127.0.0.1:${cloud.port}/v1/projects/demo/secrets`;
  const struck = async (seed: number) => {
    const { id } = cloud.inject({
      api: 'secrets',
      method: 'ListSecrets',
      code: 'ABORTED',
      probability: 0.3,
      seed,
    });
    const statuses: number[] = [];
    for (let call = 0; call < 60; call++) statuses.push((await fetch(url)).status);
    cloud.clearFaults(id);
    return statuses;
  };
  const seven = await struck(7);
  expect(await struck(7)).toEqual(seven);
  expect(await struck(8)).not.toEqual(seven);
  const part = seven.filter((code) => code === 409).length;
  expect(part).toBeGreaterThan(8);
  expect(part).toBeLessThan(30);
});

describe('over HTTP', () => {
  const base = (port: number) => `http://127.0.0.1:${port}`;
  const post = (url: string, body: object) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  test('REST meets the faults of gRPC', async () => {
    const { cloud } = await faulty({ ...getService, code: 'UNAVAILABLE', message: 'away', times: 1 });
    const url = `${base(cloud.port)}/v2/${chat}`;
    const failed = await fetch(url);
    expect([failed.status, await failed.json()]).toEqual([
      503,
      { error: { code: 503, message: 'away', status: 'UNAVAILABLE' } },
    ]);
    expect((await fetch(url)).status).toBe(200);
  });

  test('a JSON API loses replies, reads what is stale and breaks off', async () => {
    const cloud = await startCloud({ home: tempHome() });
    const secrets = `${base(cloud.port)}/v1/projects/demo/secrets`;
    const replication = { automatic: {} };
    const names = async () => {
      const { secrets: list = [] } = (await (await fetch(secrets)).json()) as {
        secrets?: { name: string }[];
      };
      return list.map(({ name }) => name.replace(/.*\//, ''));
    };
    expect(await names()).toEqual([]);
    cloud.inject({ api: 'secrets', method: 'CreateSecret', dropReply: true, times: 1 });
    cloud.inject({ api: 'secrets', method: 'ListSecrets', staleReadMs: 60_000, times: 2 });
    expect((await post(`${secrets}?secretId=one`, { replication })).status).toBe(503);
    expect([await names(), await names(), await names()]).toEqual([[], [], ['one']]);
    cloud.inject({ api: 'secrets', method: 'ListSecrets', cutStreamAfter: 10, times: 1 });
    await expect(names()).rejects.toThrow();
    expect(await names()).toEqual(['one']);
  });

  test('Storage refuses, loses replies and breaks off', async () => {
    const cloud = await startCloud({ home: tempHome() });
    const buckets = `${base(cloud.port)}/storage/v1/b?project=demo`;
    cloud.inject({ api: 'storage', method: 'buckets.insert', code: 'RESOURCE_EXHAUSTED', times: 1 });
    cloud.inject({ api: 'storage', method: 'buckets.insert', dropReply: true, times: 1 });
    const refused = await post(buckets, { name: 'demo-faults' });
    expect([refused.status, await refused.json()]).toMatchObject([
      429,
      { error: { errors: [{ reason: 'rateLimitExceeded' }] } },
    ]);
    const { items: none } = (await (await fetch(buckets)).json()) as { items: object[] };
    expect(none).toEqual([]);
    expect((await post(buckets, { name: 'demo-faults' })).status).toBe(503);
    cloud.inject({ api: 'storage', method: 'buckets.list', cutStreamAfter: 40, times: 1 });
    await expect((await fetch(buckets)).json()).rejects.toThrow();
    expect(await (await fetch(buckets)).json()).toMatchObject({ items: [{ name: 'demo-faults' }] });
  });
});

test('what makes no sense is refused, with the nearest name', async () => {
  const { inject } = await startCloud({ home: tempHome() });
  const senseless: [FaultSpec, RegExp][] = [
    [{ api: 'run' }, /Nothing goes wrong/],
    [
      { api: 'run', method: 'UpdateServcie', latencyMs: 1 },
      /no method UpdateServcie: did you mean UpdateService\?/,
    ],
    [{ api: 'operations', method: 'Hurry', latencyMs: 1 }, /it has CancelOperation, /],
    [{ api: 'run', dropReply: true, cutStreamAfter: 1 }, /one outcome/],
    [{ api: 'run', staleReadMs: 1, code: 'INTERNAL' }, /has no code/],
    [{ api: 'run', latencyMs: 1, message: 'hm' }, /needs a failure/],
    [{ api: 'run', latencyMs: 1, seed: 1 }, /give both/],
    [{ api: 'storage', staleReadMs: 1 }, /strongly consistent/],
  ];
  for (const [fault, why] of senseless) expect(() => inject(fault)).toThrow(why);
});

test('a stream is cut after so many messages, and the next one is not', async () => {
  const { cloud } = await faulty({
    ...{ api: 'logging', method: 'TailLogEntries' },
    ...{ cutStreamAfter: 1, times: 1 },
  });
  const logging = new LoggingServiceV2Client(clientOptions(cloud.port));
  onTestFinished(() => logging.close());
  const write = (textPayload: string) =>
    logging.writeLogEntries({
      entries: [{ logName: 'projects/demo/logs/note', resource: { type: 'global' }, textPayload }],
    });

  const tail = () => {
    const seen: string[] = [];
    const ended = Promise.withResolvers<number>();
    const stream = logging.tailLogEntries();
    onTestFinished(() => void stream.destroy());
    stream.on('data', ({ entries }: { entries: { textPayload: string }[] }) => {
      seen.push(...entries.map(({ textPayload }) => textPayload));
    });
    stream.on('error', ({ code }: { code: number }) => ended.resolve(code));
    stream.write({ resourceNames: ['projects/demo'], filter: 'logName:note', bufferWindow: { seconds: 0 } });
    return { seen, ended: ended.promise };
  };

  const first = tail();
  let number = 0;
  const cutWhileWriting = async () => {
    await write(`line ${number++}`);
    return Promise.race([first.ended, Promise.resolve(undefined)]);
  };
  await expect.poll(cutWhileWriting).toBe(status.UNAVAILABLE);
  expect(first.seen).toHaveLength(1);

  const second = tail();
  const linesWhileWriting = async () => {
    await write(`line ${number++}`);
    return second.seen.length;
  };
  await expect.poll(linesWhileWriting).toBeGreaterThan(2);
});
