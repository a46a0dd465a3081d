import { CloudBuildClient } from '@google-cloud/cloudbuild';
import { LoggingServiceV2Client } from '@google-cloud/logging-api';
import { RevisionsClient, ServicesClient } from '@google-cloud/run';
import { status } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { describe, expect, onTestFinished, test } from 'vitest';
import { chat, clientOptions, create, parent, read, startCloud, tempHome, update } from './harness.ts';

const roads = {
  gRPC: clientOptions,
  REST: (port: number) => ({
    ...{ apiEndpoint: '127.0.0.1', port, projectId: 'demo', protocol: 'http', fallback: true },
    authClient: new PassThroughClient(),
  }),
};

describe.each(['gRPC', 'REST'] as const)('over %s the official client', (road) => {
  test('runs a service through its life', async () => {
    const options = roads[road]((await startCloud({ home: tempHome() })).port);
    const clients = { services: new ServicesClient(options), revisions: new RevisionsClient(options) };
    onTestFinished(async () => {
      await Promise.all([clients.services.close(), clients.revisions.close()]);
    });
    const created = await create(clients);
    expect(created).toMatchObject({
      name: chat,
      latestReadyRevision: expect.stringContaining('/revisions/chat-'),
    });
    const first = await read(clients);
    await update(clients, { labels: { team: 'blue' } }, 'labels');
    expect(await read(clients)).toMatchObject({ labels: { team: 'blue' }, uri: first.uri });
    const stale = {
      service: { name: chat, etag: first.etag ?? '', labels: {} },
      updateMask: { paths: ['labels'] },
    };
    await expect(clients.services.updateService(stale, { retry: null })).rejects.toMatchObject({
      code: road === 'gRPC' ? status.ABORTED : expect.anything(),
      message: expect.stringMatching(/Conflict for resource/),
    });
    expect((await clients.services.listServices({ parent }))[0].map(({ name }) => name)).toEqual([chat]);
    const [revisions] = await clients.revisions.listRevisions({ parent: chat });
    const [revision] = await clients.revisions.getRevision({ name: revisions[0]?.name ?? '' });
    expect(revision.service).toMatch(/chat$/);
    const [operation] = await clients.services.deleteService({ name: chat });
    await operation.promise();
    await expect(read(clients)).rejects.toThrow(/not found|does not exist/i);
  });

  test('writes and reads logs, and builds', async () => {
    const options = roads[road]((await startCloud({ home: tempHome() })).port);
    const logging = new LoggingServiceV2Client(options);
    const builds = new CloudBuildClient(options);
    onTestFinished(async () => {
      await Promise.all([logging.close(), builds.close()]);
    });
    const entries = [{ logName: 'projects/demo/logs/note', resource: { type: 'global' }, textPayload: road }];
    await logging.writeLogEntries({ entries });
    const query = { resourceNames: ['projects/demo'], filter: 'logName:note' };
    expect((await logging.listLogEntries(query))[0]).toMatchObject([{ textPayload: road }]);
    expect((await logging.listLogs({ parent: 'projects/demo' }))[0]).toEqual(['projects/demo/logs/note']);

    const place = { projectId: 'demo', parent };
    const build = { steps: [{ name: 'bash', entrypoint: 'bash', args: ['-c', 'echo built'] }] };
    const [operation] = await builds.createBuild({ ...place, build });
    const [built] = await operation.promise();
    expect(built.id).toMatch(/^[0-9a-f-]{36}$/);
    const name = `${parent}/builds/${built.id}`;
    const [got] = await builds.getBuild({ name, projectId: 'demo', id: String(built.id) });
    expect(got).toMatchObject({ status: 'SUCCESS' });
    const [list] = await builds.listBuilds(place);
    expect(list.map(({ id }) => id)).toEqual([built.id]);
  });
});
