import { CloudBuildClient } from '@google-cloud/cloudbuild';
import { LoggingServiceV2Client } from '@google-cloud/logging-api';
import { RevisionsClient, ServicesClient } from '@google-cloud/run';
import { PassThroughClient } from 'google-auth-library';
import { expect, onTestFinished, test } from 'vitest';
import { compileTemplate } from '../../src/local/rest/path-template.ts';
import { chat, create, parent, read, serviceMessage, startCloud, tempHome, update } from './harness.ts';

const region = 'projects/demo/locations/europe-west1';

test.each([
  ['/v2/{parent=projects/*/locations/*}/services', `/v2/${region}/services`, { parent: region }],
  [
    '/v2/{service.name=projects/*/locations/*/services/*}',
    `/v2/${region}/services/chat`,
    { 'service.name': `${region}/services/chat` },
  ],
  ['/v1/{name=operations/**}:cancel', '/v1/operations/build/p/x:cancel', { name: 'operations/build/p/x' }],
  ['/v1/projects/{project_id}/builds/{id}', '/v1/projects/demo/builds/7', { project_id: 'demo', id: '7' }],
  ['/v2/{name=projects/*/locations/*/services/*}', `/v2/${region}/services/chat:run`, undefined],
  ['/v2/{parent=projects/*/locations/*}/services', `/v2/${region}/services/more`, undefined],
  ['/v2/entries:list', '/v2/entriesXlist', undefined],
])('the template %s and the path %s', (template, path, fields) => {
  expect(compileTemplate(template)(path)).toEqual(fields);
});

function restOptions(port: number) {
  return {
    ...{ apiEndpoint: '127.0.0.1', port, projectId: 'demo', protocol: 'http', fallback: true },
    authClient: new PassThroughClient(),
  };
}

test('the official clients work over REST as over gRPC', async () => {
  const cloud = await startCloud({ home: tempHome() });
  const options = restOptions(cloud.port);
  const clients = { services: new ServicesClient(options), revisions: new RevisionsClient(options) };
  onTestFinished(async () => {
    await Promise.all([clients.services.close(), clients.revisions.close()]);
  });
  const created = await create(clients);
  expect(created).toMatchObject({ name: chat, reconciling: false });
  const template = { ...serviceMessage().template, revision: 'chat-second' };
  await update(clients, { template, etag: created.etag ?? '' }, 'template');
  const service = await read(clients);
  expect(service.latestReadyRevision).toBe(`${chat}/revisions/chat-second`);
  expect(service.trafficStatuses?.[0]).toMatchObject({ percent: 100 });
  const [revisions] = await clients.revisions.listRevisions({ parent: chat });
  expect(revisions.map(({ name }) => name)).toContain(`${chat}/revisions/chat-second`);
  await expect(update(clients, { etag: '"stale"', ingress: 1 }, 'ingress')).rejects.toMatchObject({
    code: 10,
  });

  const logging = new LoggingServiceV2Client(options);
  const builds = new CloudBuildClient(options);
  onTestFinished(async () => {
    await Promise.all([logging.close(), builds.close()]);
  });
  const logName = 'projects/demo/logs/own';
  await logging.writeLogEntries({
    logName,
    resource: { type: 'global' },
    entries: [{ jsonPayload: { fields: { answer: { numberValue: 42 } } }, severity: 'NOTICE' }],
  });
  const [entries] = await logging.listLogEntries({
    resourceNames: ['projects/demo'],
    filter: 'jsonPayload.answer=42',
  });
  expect(entries).toMatchObject([{ logName, severity: 'NOTICE' }]);
  await expect(builds.getBuild({ projectId: 'demo', id: 'none' })).rejects.toMatchObject({ code: 5 });
  await expect(builds.createBuild({ projectId: 'demo', build: {} })).rejects.toMatchObject({ code: 3 });
});

test("a request that is wrong is refused in Google's shape, naming the field", async () => {
  const { port } = await startCloud({ home: tempHome() });
  const send = async (path: string, body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
    });
    return { status: response.status, ...((await response.json()) as { error?: object }) };
  };
  const services = `/v2/${parent}/services`;
  expect(await send(services)).toEqual({ status: 200 });
  expect(await send(`${services}/none`)).toMatchObject({
    status: 404,
    error: { code: 404, status: 'NOT_FOUND' },
  });
  expect(
    await send(`${services}?serviceId=chat`, { template: { containers: [{ imag: 'x' }] } }),
  ).toMatchObject({
    status: 400,
    error: {
      status: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`Unknown name "imag" at 'service.template.containers[0]'`),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.BadRequest',
          fieldViolations: [{ field: 'service.template.containers[0]' }],
        },
      ],
    },
  });
  expect(await send(`${services}?serviceId=chat`, { traffic: [{ type: 'NONSENSE' }] })).toMatchObject({
    status: 400,
  });
  expect(await send(`${services}?nonsense=1`)).toMatchObject({ status: 400 });
  for (const name of ['constructor', '__proto__', 'hasOwnProperty']) {
    const error = { message: expect.stringContaining(`Unknown name "${name}"`) };
    expect(await send(`${services}?${name}=1`)).toMatchObject({ status: 400, error });
    const body = JSON.parse(`{"template":{"${name}":{}}}`);
    expect(await send(`${services}?serviceId=chat`, body)).toMatchObject({ status: 400, error });
  }
  expect(await send(`${services}?serviceId=chat`, [])).toMatchObject({ status: 400 });
  expect(await send('/v2/entries:tail', {})).toMatchObject({
    status: 501,
    error: { status: 'UNIMPLEMENTED' },
  });
  expect(await send('/v2/nothing')).toMatchObject({ status: 404 });
});
