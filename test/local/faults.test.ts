import { LoggingServiceV2Client } from '@google-cloud/logging-api';
import { status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import type { Fault } from '../../src/local/contracts.ts';
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

const method = (name: string) => `google.cloud.run.v2.Services/${name}`;

/** A cloud with a service, and one fault in it. */
async function faulty(fault: Fault) {
  const cloud = await startCloud({ home: tempHome() });
  const clients = connect(cloud.port);
  await create(clients);
  cloud.inject(fault);
  return { cloud, clients };
}

// A client that retries by itself would use a fault up unseen.
const once = { timeout: 3000, retry: null } as const;
const label = (value: string) => ({
  service: { name: chat, labels: { value } },
  updateMask: { paths: ['labels'] },
});

test('an error comes as often as it was injected, and has no effect', async () => {
  const error = { code: status.RESOURCE_EXHAUSTED, message: 'Quota exceeded.' };
  const { clients } = await faulty({ method: method('UpdateService'), kind: { error }, times: 2 });
  for (let time = 0; time < 2; time++) {
    await expect(clients.services.updateService(label('new'), once)).rejects.toMatchObject({
      code: error.code,
      details: error.message,
    });
  }
  expect((await read(clients)).labels).toEqual({});
  await clients.services.updateService(label('new'), once);
  expect((await read(clients)).labels).toEqual({ value: 'new' });
});

test('a lost reply hides a write that took effect', async () => {
  const { clients } = await faulty({ method: method('UpdateService'), kind: { lostReply: true }, times: 1 });
  await expect(clients.services.updateService(label('new'), once)).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  });
  expect((await read(clients)).labels).toEqual({ value: 'new' });
});

test('a delay outlasts a deadline', async () => {
  const { clients } = await faulty({ method: method('GetService'), kind: { delayMs: 5000 }, times: 1 });
  await expect(
    clients.services.getService({ name: chat }, { timeout: 100, retry: null }),
  ).rejects.toMatchObject({
    code: status.DEADLINE_EXCEEDED,
  });
  expect((await read(clients)).name).toBe(chat);
});

test('a stale read answers what was true before the last write', async () => {
  const { cloud, clients } = await faulty({ method: method('ListServices'), kind: { delayMs: 0 }, times: 1 });
  const before = await read(clients);
  await clients.services.updateService(label('new'), once);
  const after = await read(clients);
  cloud.inject({ method: method('GetService'), kind: { staleRead: true }, times: 1 });
  expect(await read(clients)).toEqual(before);
  expect(await read(clients)).toMatchObject({ etag: after.etag, labels: { value: 'new' } });
});

test('other methods are left alone', async () => {
  const error = { code: status.INTERNAL, message: 'no' };
  const { clients } = await faulty({ method: method('DeleteService'), kind: { error }, times: 1 });
  expect((await read(clients)).name).toBe(chat);
  await expect(clients.services.deleteService({ name: chat }, once)).rejects.toMatchObject({
    code: error.code,
  });
  expect((await clients.services.listServices({ parent }))[0]).toHaveLength(1);
  await clients.services.createService({ parent, serviceId: 'two', service: serviceMessage() }, once);
});

test('a stream is cut after so many messages, and the next one is not', async () => {
  const { cloud } = await faulty({
    method: 'google.logging.v2.LoggingServiceV2/TailLogEntries',
    kind: { cutStreamAfter: 1 },
    times: 1,
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
