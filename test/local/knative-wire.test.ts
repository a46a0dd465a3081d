import http from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { connect, create, parent, read, startCloud, tempHome, update } from './harness.ts';

const knative = 'http://europe-west1-run.sluice.internal/apis/serving.knative.dev/v1/namespaces/demo';
const v1 = `http://run.sluice.internal/v1/${parent}/services`;

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
});
const serviceSchema = z.looseObject({
  metadata: z.looseObject({
    resourceVersion: z.string(),
    generation: z.int(),
    labels: z.record(z.string(), z.string()),
  }),
  spec: z.looseObject({
    template: z.looseObject({ metadata: z.looseObject({}), spec: z.looseObject({}) }),
    traffic: z.array(z.looseObject({})),
  }),
  status: z.looseObject({
    observedGeneration: z.int(),
    conditions: z.array(condition),
    latestReadyRevisionName: z.string().optional(),
    traffic: z.array(z.looseObject({})),
    url: z.string().optional(),
  }),
});
const errorSchema = z.object({ error: z.object({ code: z.int(), message: z.string(), status: z.string() }) });

/** As gcloud asks: by an absolute URL, of the local cloud as a proxy. */
async function open() {
  const { port } = await startCloud({ home: tempHome() });
  async function ask(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; json: unknown }> {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const request = http.request({ host: '127.0.0.1', port, method, path, headers }, resolve);
      request.on('error', reject).end(body && JSON.stringify(body));
    });
    return { status: response.statusCode ?? 0, json: JSON.parse(await text(response)) };
  }
  async function ready(): Promise<z.infer<typeof serviceSchema>> {
    for (;;) {
      const service = serviceSchema.parse((await ask('GET', `${knative}/services/chat`)).json);
      const { status } = service.status.conditions.find(({ type }) => type === 'Ready') ?? {};
      if (status !== 'Unknown') return service;
    }
  }
  return { ask, ready, clients: connect(port) };
}

const knativeChat = (image = 'images/good:1', container = {}) => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'chat', namespace: 'demo', annotations: { 'run.googleapis.com/client-name': 'gcloud' } },
  spec: {
    template: {
      metadata: { labels: { 'client.knative.dev/nonce': 'one' } },
      spec: {
        nodeSelector: {},
        containers: [
          {
            image,
            startupProbe: { periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 3, tcpSocket: {} },
            ...container,
          },
        ],
      },
    },
  },
});

test('a service is the same by both APIs, whoever wrote it', async () => {
  const { ask, ready, clients } = await open();
  expect((await ask('POST', `${knative}/services`, knativeChat())).status).toBe(200);
  const first = await ready();
  expect(first.status).toMatchObject({
    observedGeneration: 1,
    traffic: [{ latestRevision: true, percent: 100 }],
  });
  expect(await read(clients)).toMatchObject({
    client: 'gcloud',
    template: { labels: { 'client.knative.dev/nonce': 'one' } },
  });

  const pinned = first.status.latestReadyRevisionName ?? '';
  const type = 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION';
  await update(
    clients,
    {
      traffic: [
        { type, revision: pinned, percent: 100 },
        { type, revision: pinned, tag: 'was' },
      ],
    },
    'traffic',
  );
  const second = await ready();
  expect(second.spec.traffic).toEqual([
    { revisionName: pinned, percent: 100 },
    { revisionName: pinned, tag: 'was' },
  ]);
  expect(second.status.traffic).toContainEqual({ revisionName: pinned, tag: 'was', url: expect.any(String) });

  // What was read is written back: no new revision, whatever API made the last one.
  const { template } = second.spec;
  const { status, json } = await ask('PUT', `${knative}/services/chat`, { ...second, spec: { template } });
  expect({ status, traffic: serviceSchema.parse(json).spec.traffic }).toEqual({
    status: 200,
    traffic: [{ latestRevision: true, percent: 100 }],
  });
  expect((await ready()).status.latestReadyRevisionName).toBe(pinned);

  const stale = await ask('PUT', `${knative}/services/chat`, second);
  expect(stale.status).toBe(409);
  expect(errorSchema.parse(stale.json).error.message).toMatch(
    /^Conflict for resource 'chat': version '\d+' was specified but current version is '\d+'\.$/,
  );

  const revisions = await ask(
    'GET',
    `${knative}/revisions?labelSelector=serving.knative.dev%2Fservice%20%3D%20chat&limit=1`,
  );
  expect(revisions.json).toMatchObject({
    kind: 'RevisionList',
    items: [{ metadata: { name: pinned }, status: { imageDigest: 'images/good@sha256:good' } }],
  });
  expect((await ask('DELETE', `${knative}/revisions/${pinned}`)).status).toBe(400);
  expect((await ask('DELETE', `${knative}/services/chat`)).json).toMatchObject({
    kind: 'Status',
    status: 'Success',
  });
  expect((await ask('GET', `${knative}/services/chat`)).status).toBe(404);
});

test('a revision that fails is told by Ready, with Google’s reason and message', async () => {
  const { ask, ready } = await open();
  await ask('POST', `${knative}/services`, knativeChat('images/exits:1'));
  const failed = await ready();
  expect(failed.status.observedGeneration).toBe(failed.metadata.generation);
  expect(failed.status.conditions[0]).toEqual({
    type: 'Ready',
    status: 'False',
    reason: 'HealthCheckContainerError',
    message: expect.stringMatching(
      /^Revision 'chat-00001-\w+' is not ready and cannot serve traffic\. The user-provided container failed/,
    ),
  });
});

const refused = [
  [{ securityContext: { runAsUser: 1 } }, 'spec.template.spec.containers[0].securityContext'],
  [{ resources: { limits: { memory: '64Mi' } } }, 'spec.template.spec.containers[0].resources.limits.memory'],
  [{ env: [{ name: 'PORT', value: '1' }] }, 'spec.template.spec.containers[0].env'],
] as const;

test('what is refused is named in Knative’s words', async () => {
  const { ask } = await open();
  for (const [container, field] of refused) {
    const { status, json } = await ask(
      'POST',
      `${knative}/services`,
      knativeChat('images/good:1', container),
    );
    expect(status).toBe(400);
    expect(errorSchema.parse(json).error.message).toContain(`${field}: `);
    expect((await ask('GET', `${knative}/services`)).json).toMatchObject({ items: [] });
  }
});

test('a policy that lets allUsers in opens the service, by either API, and guards against lost updates', async () => {
  const { ask, ready, clients } = await open();
  await create(clients);
  const { url = '' } = (await ready()).status;
  const visit = async () => (await fetch(url)).status;
  expect(await visit()).toBe(403);

  const [none] = await clients.services.getIamPolicy({ resource: `${parent}/services/chat` });
  expect(Buffer.from(none.etag ?? '').toString('base64')).toBe('ACAB');
  const bindings = [{ role: 'roles/run.invoker', members: ['allUsers'] }];
  const set = await ask('POST', `${v1}/chat:setIamPolicy`, { policy: { bindings, etag: 'ACAB' } });
  expect(set).toMatchObject({ status: 200, json: { version: 1, bindings } });
  await expect.poll(visit).toBe(200);

  const lost = await ask('POST', `${v1}/chat:setIamPolicy`, { policy: { bindings: [], etag: 'ACAB' } });
  expect(errorSchema.parse(lost.json).error).toMatchObject({
    code: 409,
    status: 'ABORTED',
    message: expect.stringMatching(/^There were concurrent policy changes/),
  });
  const [policy] = await clients.services.getIamPolicy({ resource: `${parent}/services/chat` });
  expect(policy.bindings).toMatchObject(bindings);
  await clients.services.setIamPolicy({
    resource: `${parent}/services/chat`,
    policy: { bindings: [], etag: policy.etag ?? '' },
  });
  await expect.poll(visit).toBe(403);
  const permissions = ['run.routes.invoke'];
  expect((await ask('POST', `${v1}/chat:testIamPermissions`, { permissions })).json).toEqual({ permissions });
});

test('Knative’s paths need the region that stands in the host', async () => {
  const { ask } = await open();
  const nowhere = await ask('GET', knative.replace('europe-west1-', ''));
  expect(nowhere.status).toBe(404);
  const { status, json } = await ask('GET', `${knative.replace('europe-west1-', '')}/services`);
  expect({ status, message: errorSchema.parse(json).error.message }).toEqual({
    status: 400,
    message: expect.stringContaining('REGION-run.sluice.internal'),
  });
  expect((await ask('GET', v1.replace('europe-west1', '-'))).json).toMatchObject({
    kind: 'ServiceList',
    items: [],
  });
  expect((await ask('GET', 'http://run.sluice.internal/v1/projects/demo/locations')).json).toMatchObject({
    locations: expect.arrayContaining([
      { name: 'projects/demo/locations/europe-west1', locationId: 'europe-west1' },
    ]),
  });
});
