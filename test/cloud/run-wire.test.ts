import { describe, expect, test } from 'vitest';
import type { ServiceEdit } from '../../src/cloud/ports/index.ts';
import { connect, startCloud, tempHome } from '../local/harness.ts';
import { call, connectTo, kindOf, ref, templateOf } from './kit.ts';

const getService = { api: 'run', method: 'GetService' } as const;

async function deployed(edit: Partial<ServiceEdit> = {}) {
  const local = await startCloud({ home: tempHome() });
  const cloud = await connectTo(local.port);
  const operation = await cloud.run.createService(ref, { template: templateOf('chat-a'), ...edit }, call());
  const outcome = await cloud.run.awaitOperation(operation, call());
  return { local, cloud, outcome };
}

async function read({ cloud }: Pick<Awaited<ReturnType<typeof deployed>>, 'cloud'>) {
  const live = await cloud.run.readService(ref, call());
  if (!live) throw new Error('the service is gone');
  return live;
}

describe('a service over the wire', () => {
  test('is absent, then created with all traffic on the named revision', async () => {
    const local = await startCloud({ home: tempHome() });
    const cloud = await connectTo(local.port);
    expect(await cloud.run.readService(ref, call())).toBeUndefined();
    expect(await cloud.run.readRevision(ref, 'chat-a', call())).toBeUndefined();

    const template = templateOf('chat-a');
    const edit = { template, public: true, minInstances: 1, annotations: { 'sluice/release': 'r1' } };
    const operation = await cloud.run.createService(ref, edit, call());
    expect(await cloud.run.awaitOperation(operation, call())).toEqual({ state: 'done' });

    const live = await read({ cloud });
    expect(live).toMatchObject({
      ref,
      reconciling: false,
      templateRevision: 'chat-a',
      foreign: [],
      annotations: { 'sluice/release': 'r1' },
      traffic: [{ revision: 'chat-a', percent: 100 }],
      latestReadyRevision: 'chat-a',
      public: true,
      minInstances: 1,
      template: { image: 'images/good:1', env: { GREETING: 'hello' }, port: 9000, cpu: '1' },
    });
    expect(live.generation).toBe(live.observedGeneration);
    expect(await cloud.run.readRevision(ref, 'chat-a', call())).toMatchObject({
      name: 'chat-a',
      service: 'chat',
      ready: 'yes',
    });
  });

  test('is open to everybody by its IAM policy, if that may be read', async () => {
    const { local, cloud } = await deployed();
    expect(await read({ cloud })).toMatchObject({ public: false, openedByPolicy: false });
    const policy = { bindings: [{ role: 'roles/run.invoker', members: ['allUsers'] }] };
    const resource = `projects/${ref.project}/locations/${ref.region}/services/${ref.service}`;
    await connect(local.port).services.setIamPolicy({ resource, policy });
    expect(await read({ cloud })).toMatchObject({ public: true, openedByPolicy: true });

    // Who may not read the policy deploys all the same.

    local.inject({ api: 'run', method: 'GetIamPolicy', code: 'PERMISSION_DENIED', times: 1 });
    expect(await read({ cloud })).toMatchObject({ public: false, openedByPolicy: false });
  });

  test('gets a tagged candidate at 0 % by one update, and its traffic by another', async () => {
    const { cloud } = await deployed();
    const candidate = { revision: 'chat-b', percent: 0, tag: 'next' };
    const update = await cloud.run.updateService(
      await read({ cloud }),
      { template: templateOf('chat-b'), traffic: [{ revision: 'chat-a', percent: 100 }, candidate] },
      call(),
    );
    expect(await cloud.run.awaitOperation(update, call())).toEqual({ state: 'done' });
    await expect.poll(async () => (await read({ cloud })).actualTraffic).toHaveLength(2);

    const live = await read({ cloud });
    expect(live.latestReadyRevision).toBe('chat-b');
    const move = await cloud.run.updateService(
      live,
      { traffic: [{ revision: 'chat-b', percent: 100 }] },
      call(),
    );
    expect(await cloud.run.awaitOperation(move, call())).toEqual({ state: 'done' });
    expect((await read({ cloud })).traffic).toEqual([{ revision: 'chat-b', percent: 100 }]);
    const revisions = await cloud.run.listRevisions(ref, 10, call());
    expect(revisions.map(({ name }) => name)).toEqual(['chat-b', 'chat-a']);
    expect(await cloud.run.listRevisions(ref, 1, call())).toHaveLength(1);
  });

  test('whose container exits fails as Cloud Run says it, and can be deleted', async () => {
    const { outcome, cloud } = await deployed({ template: templateOf('chat-a', 'images/exits:1') });
    expect(outcome).toMatchObject({ state: 'failed', said: expect.stringContaining("Revision 'chat-a'") });
    const revision = await cloud.run.readRevision(ref, 'chat-a', call());
    expect(revision).toMatchObject({ ready: 'no' });
    expect(revision?.conditions.find(({ type }) => type === 'Ready')?.reason).toBe(
      'HEALTH_CHECK_CONTAINER_ERROR',
    );

    const deletion = await cloud.run.deleteService(ref, call());
    expect(await cloud.run.awaitOperation(deletion, call())).toEqual({ state: 'done' });
    expect(await cloud.run.readService(ref, call())).toBeUndefined();
  });
});

describe('what goes wrong', () => {
  test('a stale etag is a conflict', async () => {
    const { cloud } = await deployed();
    const stale = await read({ cloud });
    const first = await cloud.run.updateService(stale, { annotations: { a: '1' } }, call());
    await cloud.run.awaitOperation(first, call());
    const second = cloud.run.updateService(stale, { annotations: { a: '2' } }, call());
    expect(await kindOf(second)).toBe('conflict');
    expect((await read({ cloud })).annotations).toEqual({ a: '1' });
  });

  test('a write whose answer is lost has an unknown outcome, is made once, and reading it again answers', async () => {
    const { local, cloud } = await deployed();
    const live = await read({ cloud });
    local.inject({ api: 'run', method: 'UpdateService', dropReply: true, times: 1 });
    const lost = cloud.run.updateService(live, { annotations: { release: 'r2' } }, call());
    expect(await kindOf(lost)).toBe('outcome-unknown');
    const after = await read({ cloud });
    expect(after.annotations).toEqual({ release: 'r2' });
    expect(Number(after.generation) - Number(live.generation)).toBeLessThanOrEqual(1);
  });

  test('a write that is slower than its deadline has an unknown outcome', async () => {
    const { local, cloud } = await deployed();
    const live = await read({ cloud });
    local.inject({ api: 'run', method: 'UpdateService', latencyMs: 2_000, times: 1 });
    const slow = cloud.run.updateService(live, { annotations: { a: '1' } }, call({ timeoutMs: 100 }));
    expect(await kindOf(slow)).toBe('outcome-unknown');
  });

  test('a read is made again while the server is away, and a refused one is not', async () => {
    const { local, cloud } = await deployed();
    local.inject({ ...getService, code: 'UNAVAILABLE', message: 'away', times: 2 });
    expect((await read({ cloud })).ref).toEqual(ref);
    local.inject({ ...getService, code: 'PERMISSION_DENIED', message: 'no run.services.get', times: 1 });
    expect(await kindOf(cloud.run.readService(ref, call()))).toBe('forbidden');
    expect((await read({ cloud })).ref).toEqual(ref);
  });

  test('a read ends at its deadline and at the signal', async () => {
    const { local, cloud } = await deployed();
    const delay = { ...getService, latencyMs: 60_000, times: 1 };
    local.inject(delay);
    expect(await kindOf(cloud.run.readService(ref, call({ timeoutMs: 50 })))).toBe('deadline');
    local.inject(delay);
    const stop = new AbortController();
    const aborted = cloud.run.readService(ref, { signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    expect(await kindOf(aborted)).toBe('aborted');
  });

  test('an operation that takes longer than the wait is still running', async () => {
    const local = await startCloud({ home: tempHome() });
    const cloud = await connectTo(local.port);
    const template = templateOf('chat-a', 'images/silent:1');
    const operation = await cloud.run.createService(ref, { template }, call());
    expect(await cloud.run.awaitOperation(operation, call({ timeoutMs: 300 }))).toEqual({ state: 'running' });
    expect(await kindOf(cloud.run.awaitOperation(`${operation}x`, call()))).toBe('not-found');
  });

  test.for(['UNIMPLEMENTED', 'UNAVAILABLE'])(
    'an operation is polled where a long poll ends with %s',
    async (code) => {
      const local = await startCloud({ home: tempHome() });
      const cloud = await connectTo(local.port);
      const method = 'WaitOperation';
      local.inject({ api: 'operations', method, code, message: 'no long poll', times: 100 });
      const operation = await cloud.run.createService(ref, { template: templateOf('chat-a') }, call());
      expect(await cloud.run.awaitOperation(operation, call())).toEqual({ state: 'done' });
    },
  );

  test('an empty edit is refused before it could replace the service', async () => {
    const { cloud } = await deployed();
    expect(await kindOf(cloud.run.updateService(await read({ cloud }), {}, call()))).toBe('invalid');
  });

  test('nobody listens: a write was never sent', async () => {
    const cloud = await connectTo(1);
    const edit = { template: templateOf('chat-a') };
    expect(await kindOf(cloud.run.createService(ref, edit, call()))).toBe('unavailable');
  });
});
