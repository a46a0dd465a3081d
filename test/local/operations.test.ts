import { credentials, makeGenericClientConstructor, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openOperations } from '../../src/local/operations.ts';
import { loadProtos } from '../../src/local/protos.ts';
import {
  chat,
  connect,
  create,
  openTestJournal,
  parent,
  serviceMessage,
  startCloud,
  tempHome,
} from './harness.ts';

const protos = loadProtos();
const definition = protos.service('google.longrunning.Operations');
const pack = (name: string) => protos.pack('google.cloud.run.v2.Service', { name });

type Wire = { name?: string; done?: boolean; error?: { code: number }; operations?: Wire[] };

/** The raw service: the official client has no WaitOperation. */
function operationsClient(port: number) {
  const Client = makeGenericClientConstructor(definition, 'Operations');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  return (method: string, request: object) =>
    new Promise<Wire>((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = definition[method] ?? raise(method);
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        (error: ServiceError | null, answer?: Wire) => (error ? reject(error) : resolve(answer ?? {})),
      );
    });
}

function raise(method: string): never {
  throw new Error(`no method ${method}`);
}

describe('operations over the wire', () => {
  test('are waited for, read, listed and deleted', async () => {
    const cloud = await startCloud({ home: tempHome() });
    const call = operationsClient(cloud.port);
    const { services } = connect(cloud.port);
    const [{ name = '' }] = await services.createService({
      parent,
      serviceId: 'chat',
      service: serviceMessage(),
    });
    expect((await call('GetOperation', { name })).done).toBe(false);
    expect(await call('WaitOperation', { name, timeout: { seconds: '20' } })).toMatchObject({
      name,
      done: true,
    });
    expect((await call('ListOperations', { name: `${parent}/operations` })).operations).toHaveLength(1);
    await call('DeleteOperation', { name });
    await expect(call('GetOperation', { name })).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(call('CancelOperation', { name })).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });

  test('that run on are answered as they are when the time is over', async () => {
    const cloud = await startCloud({ home: tempHome() });
    const call = operationsClient(cloud.port);
    const both = connect(cloud.port);
    await create(both);
    const template = serviceMessage({}, 'images/silent:1').template ?? null;
    const [{ name = '' }] = await both.services.updateService({ service: { name: chat, template } });
    const waited = await call('WaitOperation', { name, timeout: { nanos: 50_000_000 } });
    expect(waited).toMatchObject({ name });
    expect(waited.done).toBeFalsy();
    expect(await call('WaitOperation', { name })).toMatchObject({ done: true, error: { code: 9 } });
  });
});

describe('the store', () => {
  test('ends an operation once, and keeps it over a restart', async () => {
    const home = tempHome();
    const journal = openTestJournal(home);
    const store = openOperations({ journal });
    await store.create('a/1', pack('one'));
    await store.create('a/2', pack('two'));
    const waiting = store.wait('a/1', 10_000);
    await store.complete('a/1', { response: pack('done') });
    await store.complete('a/1', { error: { code: 9, message: 'too late' } });
    expect((await waiting)?.response).toEqual(pack('done'));

    await journal.stop();
    const again = openOperations({ journal: openTestJournal(home) });
    expect(again.list('a/').map(({ name, done }) => [name, done])).toEqual([
      ['a/1', true],
      ['a/2', false],
    ]);
    expect(again.get('a/1')?.response).toEqual(pack('done'));
  });

  test('forgets the oldest that have ended, never one that runs', async () => {
    const store = openOperations({ journal: openTestJournal() });
    await store.create('running', pack('x'));
    await Promise.all(
      Array.from({ length: 250 }, async (_, index) => {
        await store.create(`done/${index}`, pack('x'));
        await store.complete(`done/${index}`, { response: pack('x') });
      }),
    );
    await store.create('last', pack('x'));
    expect(store.list('done/').length).toBeLessThanOrEqual(200);
    expect(store.get('running')?.done).toBe(false);
    expect(store.get('done/249')?.done).toBe(true);
  });

  test('answers waiters when it stops', async () => {
    const store = openOperations({ journal: openTestJournal() });
    await store.create('a', pack('x'));
    const waiting = store.wait('a', 60_000);
    store.stop();
    expect((await waiting)?.done).toBe(false);
  });
});
