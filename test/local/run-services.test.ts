import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  type Clients,
  chat,
  connect,
  create,
  parent,
  read,
  type ServiceMessage,
  serviceMessage,
  startCloud,
  tempHome,
  update,
} from './harness.ts';

const latest = 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST';
const named = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';

async function clients(): Promise<Clients> {
  return connect((await startCloud({ home: tempHome() })).port);
}

const template = (patch: object = {}, image = 'images/good:1') => ({
  ...serviceMessage({}, image).template,
  ...patch,
});
const container = (patch: object) => ({ containers: [{ image: 'images/good:1', ...patch }] });
const short = (name: string | null | undefined) => name?.split('/').at(-1);

async function failure(promise: Promise<unknown>): Promise<{ code: number; message: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error) || !('code' in error)) throw new Error('it did not fail as a call fails');
  return { code: Number(error.code), message: error.message };
}

describe('a write that is refused', () => {
  const refusals: [string, ServiceMessage, number, string][] = [
    [
      'a bucket as a volume',
      { template: template({ volumes: [{ name: 'v', gcs: { bucket: 'b' } }] }) },
      status.UNIMPLEMENTED,
      'template.volumes[0].gcs',
    ],
    [
      'a mount without its volume',
      { template: container({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }) },
      status.INVALID_ARGUMENT,
      "template.containers[0].volumeMounts[0].name: there is no volume 'v'",
    ],
    [
      'a mount over the devices',
      {
        template: {
          ...container({ volumeMounts: [{ name: 'v', mountPath: '/proc/self' }] }),
          volumes: [{ name: 'v', emptyDir: {} }],
        },
      },
      status.INVALID_ARGUMENT,
      'template.containers[0].volumeMounts[0].mountPath',
    ],
    [
      'a secret file outside its volume',
      {
        template: template({
          volumes: [{ name: 'v', secret: { secret: 's', items: [{ path: '../s', version: 'latest' }] } }],
        }),
      },
      status.INVALID_ARGUMENT,
      'template.volumes[0].secret.items[0].path',
    ],
    [
      'a sidecar',
      { template: { containers: [{ image: 'images/good:1' }, { image: 'images/good:2' }] } },
      status.UNIMPLEMENTED,
      'template.containers',
    ],
    [
      'VPC access',
      { template: template({ vpcAccess: { connector: 'c' } }) },
      status.UNIMPLEMENTED,
      'template.vpcAccess',
    ],
    [
      'a liveness probe of a port',
      { template: container({ livenessProbe: { tcpSocket: { port: 8080 } } }) },
      status.UNIMPLEMENTED,
      'template.containers[0].livenessProbe.tcpSocket',
    ],
    [
      'a GPU',
      { template: container({ resources: { limits: { 'nvidia.com/gpu': '1' } } }) },
      status.UNIMPLEMENTED,
      'nvidia.com/gpu',
    ],
    [
      'a node selector',
      { template: template({ nodeSelector: { accelerator: 'nvidia-l4' } }) },
      status.UNIMPLEMENTED,
      'template.nodeSelector',
    ],
    ['a key', { template: template({ encryptionKey: 'k' }) }, status.UNIMPLEMENTED, 'template.encryptionKey'],
    [
      'binary authorization',
      { binaryAuthorization: { useDefault: true } },
      status.UNIMPLEMENTED,
      'binaryAuthorization',
    ],
    ['no ingress at all', { ingress: 'INGRESS_TRAFFIC_NONE' }, status.INVALID_ARGUMENT, 'ingress'],
    [
      'a platform label',
      { labels: { 'run.googleapis.com/x': 'y' } },
      status.INVALID_ARGUMENT,
      'run.googleapis.com',
    ],
    [
      'a Knative annotation',
      { annotations: { 'serving.knative.dev/creator': 'y' } },
      status.INVALID_ARGUMENT,
      'serving.knative.dev',
    ],
    [
      'an autoscaling annotation',
      { template: template({ annotations: { 'autoscaling.knative.dev/minScale': '1' } }) },
      status.INVALID_ARGUMENT,
      'template.annotations',
    ],
    [
      'a reserved variable',
      { template: container({ env: [{ name: 'PORT', value: '1' }] }) },
      status.INVALID_ARGUMENT,
      'reserved env names were provided: PORT',
    ],
    [
      'a variable in Google’s own namespace',
      { template: container({ env: [{ name: 'X_GOOGLE_A', value: '1' }] }) },
      status.INVALID_ARGUMENT,
      'template.containers[0].env[0].name',
    ],
    [
      'a variable that no process can have',
      { template: container({ env: [{ name: 'A', value: 'a\0b' }] }) },
      status.INVALID_ARGUMENT,
      'template.containers[0].env[0].value',
    ],
    [
      'a timeout of more than an hour',
      { template: template({ timeout: { seconds: 3601 } }) },
      status.INVALID_ARGUMENT,
      'template.timeout',
    ],
    [
      'a minimum above the maximum',
      { template: template({ scaling: { minInstanceCount: 3, maxInstanceCount: 2 } }) },
      status.INVALID_ARGUMENT,
      'template.scaling',
    ],
    [
      'two kinds of a probe',
      { template: container({ startupProbe: { tcpSocket: { port: 80 }, httpGet: { path: '/' } } }) },
      status.INVALID_ARGUMENT,
      'template.containers[0].startupProbe',
    ],
    [
      'memory beyond the CPU',
      { template: container({ resources: { limits: { cpu: '1', memory: '8Gi' } } }) },
      status.INVALID_ARGUMENT,
      'For 1.0 CPU, memory must be between 128Mi and 4Gi inclusive.',
    ],
    ['no image', { template: { containers: [{}] } }, status.INVALID_ARGUMENT, 'template.containers[0].image'],
    ['no template', { description: 'empty' }, status.INVALID_ARGUMENT, 'template'],
    [
      'odd memory',
      { template: container({ resources: { limits: { memory: 'much' } } }) },
      status.INVALID_ARGUMENT,
      'template.containers[0].resources.limits.memory',
    ],
    [
      'percents of 90',
      serviceMessage({ traffic: [{ type: latest, percent: 90 }] }),
      status.INVALID_ARGUMENT,
      'sum to 100',
    ],
    [
      'a repeated tag',
      serviceMessage({
        traffic: [
          { type: latest, percent: 100, tag: 'a' },
          { type: latest, tag: 'a' },
        ],
      }),
      status.INVALID_ARGUMENT,
      "'a'",
    ],
    [
      'a long tag',
      serviceMessage({ traffic: [{ type: latest, percent: 100, tag: 'a'.repeat(43) }] }),
      status.INVALID_ARGUMENT,
      'traffic[0].tag',
    ],
    [
      'a foreign revision name',
      { template: template({ revision: 'other-1' }) },
      status.INVALID_ARGUMENT,
      'template.revision',
    ],
  ];

  test('says which field, and leaves nothing behind', async () => {
    const { services } = await clients();
    for (const [what, service, code, text] of refusals) {
      const error = await failure(services.createService({ parent, serviceId: 'chat', service }));
      expect(error, what).toMatchObject({ code, message: expect.stringContaining(text) });
    }
    const [found] = await services.listServices({ parent });
    expect(found).toEqual([]);
  });

  test.for(['Chat', '-chat', 'chat-', 'c'.repeat(50), ''])('a service is not named %j', async (serviceId) => {
    const { services } = await clients();
    const error = await failure(services.createService({ parent, serviceId, service: serviceMessage() }));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
  });
});

describe('a service', () => {
  test('is created, read, listed, updated and deleted', async () => {
    const both = await clients();
    const created = await create(both, serviceMessage({ labels: { team: 'a' }, invokerIamDisabled: true }));
    expect(created.name).toBe(chat);
    expect(short(created.latestReadyRevision)).toMatch(/^chat-00001-[a-z]{3}$/);
    expect(await (await fetch(created.uri ?? '')).text()).toBe(short(created.latestReadyRevision));

    const found = await read(both);
    expect(found).toMatchObject({
      generation: '1',
      observedGeneration: '1',
      reconciling: false,
      labels: { team: 'a' },
      terminalCondition: { type: 'Ready', state: 'CONDITION_SUCCEEDED' },
      trafficStatuses: [{ type: latest, percent: 100, revision: '' }],
      urls: [created.uri],
    });
    expect(found.conditions?.map(({ type }) => type)).toEqual(['ConfigurationsReady', 'RoutesReady']);
    const [listed] = await both.services.listServices({ parent });
    expect(listed.map(({ name }) => name)).toEqual([chat]);

    const updated = await update(both, { annotations: { note: 'x' } }, 'annotations');
    expect(updated.annotations).toEqual({ note: 'x' });
    expect(updated.labels).toEqual({ team: 'a' });
    expect(updated.latestCreatedRevision).toBe(created.latestCreatedRevision);

    const [deletion] = await both.services.deleteService({ name: chat });
    const [deleted] = await deletion.promise();
    expect(deleted.deleteTime).toBeTruthy();
    await expect(read(both)).rejects.toMatchObject({
      code: status.NOT_FOUND,
      message: expect.stringContaining("Resource 'chat' of kind 'SERVICE'"),
    });
    await expect(fetch(created.uri ?? '')).rejects.toThrow();
  });

  test('answers a write before it has rolled out, and takes another one meanwhile', async () => {
    const both = await clients();
    const [first] = await both.services.createService({
      parent,
      serviceId: 'chat',
      service: serviceMessage(),
    });
    expect(await read(both)).toMatchObject({ reconciling: true, generation: '1', observedGeneration: '0' });
    const second = update(both, { template: template({ labels: { v: '2' } }) }, 'template');
    await Promise.all([first.promise(), second]);
    const settled = await read(both);
    expect(settled).toMatchObject({ reconciling: false, generation: '2', observedGeneration: '2' });
    expect(short(settled.latestReadyRevision)).toMatch(/^chat-00002/);
  });

  test('is not created twice', async () => {
    const both = await clients();
    await create(both);
    expect(await failure(create(both))).toMatchObject({
      code: status.ALREADY_EXISTS,
      message: expect.stringContaining("Resource 'chat' already exists"),
    });
  });

  test('is only validated when asked', async () => {
    const { services } = await clients();
    const service = serviceMessage();
    const [operation] = await services.createService({
      parent,
      serviceId: 'chat',
      service,
      validateOnly: true,
    });
    expect(operation.done).toBe(true);
    expect((await services.listServices({ parent }))[0]).toEqual([]);
  });

  test('that is missing is made by an update that allows it', async () => {
    const { services } = await clients();
    const service = { name: chat, ...serviceMessage() };
    expect(await failure(services.updateService({ service }))).toMatchObject({ code: status.NOT_FOUND });
    const [operation] = await services.updateService({ service, allowMissing: true });
    const [made] = await operation.promise();
    expect(made.name).toBe(chat);
  });

  test('with a stale etag is not overwritten', async () => {
    const both = await clients();
    const { etag } = await create(both);
    await update(both, { etag: etag ?? '', labels: { a: 'b' } }, 'labels');
    const error = await failure(update(both, { etag: etag ?? '', labels: { a: 'c' } }, 'labels'));
    expect(error.code).toBe(status.ABORTED);
    expect(error.message).toMatch(
      /Conflict for resource 'chat': version '\d+' was specified but current version is '\d+'\./,
    );
    expect((await read(both)).labels).toEqual({ a: 'b' });
  });

  test('that was read can be written back as it is', async () => {
    const both = await clients();
    await create(both);
    const before = await read(both);
    const [operation] = await both.services.updateService({ service: before });
    await operation.promise();
    const after = await read(both);
    expect(after).toMatchObject({
      generation: before.generation,
      latestCreatedRevision: before.latestCreatedRevision,
    });
  });

  test('that names its revision needs a mask that leaves the name out', async () => {
    const both = await clients();
    await create(both, serviceMessage({ template: template({ revision: 'chat-one' }) }));
    const service = await read(both);
    service.traffic = [{ type: latest, percent: 100, tag: 'next' }];
    const whole = await failure(both.services.updateService({ service }));
    expect(whole).toMatchObject({
      code: status.ALREADY_EXISTS,
      message: expect.stringContaining(
        "Revision named 'chat-one' with different configuration already exists",
      ),
    });
    const after = await update(both, service, 'traffic');
    expect(after).toMatchObject({ template: { revision: 'chat-one' }, traffic: [{ tag: 'next' }] });
  });

  test.for([
    ['template.containers', 2],
    ['template.max_instance_request_concurrency', 1],
    ['template.maxInstanceRequestConcurrency', 1],
    ['labels', 0],
    ['*', 3],
  ] as const)('changes no more than the mask %s', async ([path, changes]) => {
    const both = await clients();
    await create(both, serviceMessage({ labels: { a: 'old' } }));
    const changed = template({ maxInstanceRequestConcurrency: 7 }, 'images/good:2');
    const after = await update(both, { labels: { a: 'new' }, template: changed }, path);
    expect({
      labels: after.labels?.['a'] === 'new',
      concurrency: after.template?.maxInstanceRequestConcurrency === 7,
      image: after.template?.containers?.[0]?.image === 'images/good:2',
    }).toEqual({
      labels: path === 'labels' || changes === 3,
      concurrency: changes === 1 || changes === 3,
      image: changes === 2 || changes === 3,
    });
  });

  test('refuses a mask that names no field', async () => {
    const both = await clients();
    await create(both);
    expect(await failure(update(both, {}, 'template.speed'))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringContaining('template.speed'),
    });
  });
});

describe('a revision', () => {
  test('never changes: its name is not used again', async () => {
    const both = await clients();
    await create(both, serviceMessage({ template: template({ revision: 'chat-one' }) }));
    const conflict = {
      code: status.ALREADY_EXISTS,
      message: expect.stringContaining(
        "Revision named 'chat-one' with different configuration already exists",
      ),
    };
    const other = template({ revision: 'chat-one', labels: { a: 'b' } });
    expect(await failure(update(both, { template: other }, 'template'))).toMatchObject(conflict);
    // The trap: the stored template names its revision, so a narrower mask changes that one.
    const containers = template({}, 'images/good:2').containers ?? null;
    expect(await failure(update(both, { template: { containers } }, 'template.containers'))).toMatchObject(
      conflict,
    );
    const named = template({ revision: 'chat-two' }, 'images/good:2');
    expect(short((await update(both, { template: named }, 'template')).latestReadyRevision)).toBe('chat-two');
  });

  test('is listed newest first, and deleted only when nothing needs it', async () => {
    const both = await clients();
    await create(both, serviceMessage({ template: template({ revision: 'chat-one' }) }));
    await update(both, { template: template({ revision: 'chat-two' }) }, 'template');
    const [revisions] = await both.revisions.listRevisions({ parent: chat });
    expect(revisions.map(({ name }) => short(name))).toEqual(['chat-two', 'chat-one']);
    expect(revisions[0]?.conditions?.map(({ type, state }) => [type, state])).toContainEqual([
      'Ready',
      'CONDITION_SUCCEEDED',
    ]);
    const needed = both.revisions.deleteRevision({ name: `${chat}/revisions/chat-two` });
    expect(await failure(needed)).toMatchObject({ code: status.FAILED_PRECONDITION });
    const [deletion] = await both.revisions.deleteRevision({ name: `${chat}/revisions/chat-one` });
    await deletion.promise();
    const gone = both.revisions.getRevision({ name: `${chat}/revisions/chat-one` });
    expect(await failure(gone)).toMatchObject({ code: status.NOT_FOUND });
  });

  test.for([
    ['exits', 'HEALTH_CHECK_CONTAINER_ERROR', /user-provided container failed/],
    ['silent', 'HEALTH_CHECK_CONTAINER_ERROR', /user-provided container failed/],
    ['missing', 'CONTAINER_MISSING', /Image 'images\/missing:1' not found\./],
  ] as const)('that fails (%s) takes no traffic from the one that serves', async ([image, reason, text]) => {
    const both = await clients();
    const { uri } = await create(
      both,
      serviceMessage({ invokerIamDisabled: true, template: template({ revision: 'chat-good' }) }),
    );
    const bad = template({ revision: 'chat-bad' }, `images/${image}:1`);
    const error = await failure(update(both, { template: bad }, 'template'));
    expect(error.code).toBe(status.FAILED_PRECONDITION);
    expect(error.message).toMatch(/^(9 \w+: )?Revision 'chat-bad' is not ready and cannot serve traffic\. /);
    expect(error.message).toMatch(text);

    const service = await read(both);
    expect(service).toMatchObject({
      reconciling: false,
      terminalCondition: { state: 'CONDITION_FAILED' },
      generation: '2',
      observedGeneration: '1',
      latestReadyRevision: `${chat}/revisions/chat-good`,
      latestCreatedRevision: `${chat}/revisions/chat-bad`,
    });
    const states = service.conditions?.map(({ type, state }) => [type, state]);
    expect(states).toEqual([
      ['ConfigurationsReady', 'CONDITION_FAILED'],
      ['RoutesReady', 'CONDITION_SUCCEEDED'],
    ]);
    const [revision] = await both.revisions.getRevision({ name: `${chat}/revisions/chat-bad` });
    const ready = revision.conditions?.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ state: 'CONDITION_FAILED' });
    expect([ready?.reason, ready?.revisionReason]).toContain(reason);
    expect(await (await fetch(uri ?? '')).text()).toBe('chat-good');
  });
});

describe('traffic', () => {
  test('goes where it is sent: a tagged candidate at 0 %, a split, then all of it', async () => {
    const both = await clients();
    const { uri } = await create(
      both,
      serviceMessage({ invokerIamDisabled: true, template: template({ revision: 'chat-one' }) }),
    );
    const one = { type: named, revision: 'chat-one', percent: 100 } as const;
    const candidate = { type: named, revision: 'chat-two', percent: 0, tag: 'next' } as const;
    const tagged = await update(
      both,
      { template: template({ revision: 'chat-two' }), traffic: [one, candidate] },
      'template',
      'traffic',
    );
    const tagUri = tagged.trafficStatuses?.find(({ tag }) => tag === 'next')?.uri ?? '';
    expect(await (await fetch(tagUri)).text()).toBe('chat-two');
    expect(await (await fetch(uri ?? '')).text()).toBe('chat-one');

    const all = await update(both, { traffic: [{ ...candidate, percent: 100, tag: '' }] }, 'traffic');
    expect(all.trafficStatuses).toHaveLength(1);
    expect(await (await fetch(uri ?? '')).text()).toBe('chat-two');
    await expect(fetch(tagUri)).rejects.toThrow();
  });

  test('follows the desired one after a moment', async () => {
    const cloud = await startCloud({ home: tempHome(), trafficDelayMs: 400 });
    const both = connect(cloud.port);
    await create(both, serviceMessage({ template: template({ revision: 'chat-one' }) }));
    const traffic = [{ type: named, revision: 'chat-one', percent: 100 } as const];
    const moving = update(both, { traffic }, 'traffic');
    let service = await read(both);
    while (service.traffic?.[0]?.type !== named) {
      await sleep(5);
      service = await read(both);
    }
    expect(service).toMatchObject({ reconciling: true, trafficStatuses: [{ type: latest }] });
    await moving;
    expect((await read(both)).trafficStatuses).toMatchObject([{ type: named, revision: 'chat-one' }]);
  });

  test('to a revision that does not exist stays where it was', async () => {
    const both = await clients();
    await create(both);
    const traffic = [{ type: named, revision: 'chat-nobody', percent: 100 } as const];
    const error = await failure(update(both, { traffic }, 'traffic'));
    expect(error.message).toContain(
      "Revision 'chat-nobody' does not exist or is deleted. Update all traffic to route to currently available revisions.",
    );
    const service = await read(both);
    expect(service.trafficStatuses).toMatchObject([{ type: latest, percent: 100 }]);
    expect(service.conditions?.at(-1)).toMatchObject({ type: 'RoutesReady', state: 'CONDITION_FAILED' });
  });

  test('to LATEST means the latest ready revision', async () => {
    const both = await clients();
    const { uri } = await create(both, serviceMessage({ invokerIamDisabled: true }));
    const bad = template({ revision: 'chat-bad' }, 'images/exits:1');
    await failure(update(both, { template: bad }, 'template'));
    expect(await (await fetch(uri ?? '')).text()).toMatch(/^chat-00001/);
    await update(both, { template: template({ revision: 'chat-good' }) }, 'template');
    expect((await read(both)).terminalCondition?.state).toBe('CONDITION_SUCCEEDED');
    expect(await (await fetch(uri ?? '')).text()).toBe('chat-good');
  });
});

test('two projects may use the same names', async () => {
  const both = await clients();
  const message = serviceMessage({ invokerIamDisabled: true, template: template({ revision: 'chat-one' }) });
  const first = await create(both, message);
  const [operation] = await both.services.createService({
    parent: 'projects/other/locations/europe-west1',
    serviceId: 'chat',
    service: message,
  });
  const [second] = await operation.promise();
  expect(second.uri).not.toBe(first.uri);
  const [deletion] = await both.services.deleteService({ name: second.name ?? '' });
  await deletion.promise();
  expect(await (await fetch(first.uri ?? '')).text()).toBe('chat-one');
});

test('writes on each other’s heels end when their own traffic is there', async () => {
  const both = await clients();
  await create(both, serviceMessage({ template: template({ revision: 'chat-one' }) }));
  await update(both, { template: template({ revision: 'chat-two' }) }, 'template');
  for (let round = 0; round < 10; round++) {
    const revision = round % 2 === 0 ? 'chat-one' : 'chat-two';
    const note = update(both, { annotations: { round: String(round) } }, 'annotations');
    const moved = await update(both, { traffic: [{ type: named, revision, percent: 100 }] }, 'traffic');
    expect(moved.trafficStatuses).toMatchObject([{ revision, percent: 100 }]);
    await note;
  }
});
