import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CloudBuildClient } from '@google-cloud/cloudbuild';
import { LoggingServiceV2Client } from '@google-cloud/logging-api';
import { Storage } from '@google-cloud/storage';
import { PassThroughClient } from 'google-auth-library';
import { create as pack } from 'tar';
import { expect, onTestFinished, test } from 'vitest';
import { startLocalCloud } from '../../src/local/server.ts';
import { clientOptions, connect, create, tempHome } from './harness.ts';

const files = {
  'package.json': JSON.stringify({ name: 'chat', version: '1.0.0', scripts: { start: 'node server.js' } }),
  'package-lock.json': JSON.stringify({
    ...{ name: 'chat', version: '1.0.0', lockfileVersion: 3, requires: true },
    packages: { '': { name: 'chat', version: '1.0.0' } },
  }),
  'server.js': `process.on('SIGTERM', process.exit);
    require('http').createServer((q, s) => s.end(process.env.K_REVISION)).listen(process.env.PORT, () =>
      console.log(JSON.stringify({ severity: 'NOTICE', message: 'listening', chat: true })));`,
};

async function archive(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-source-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'source'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, 'source', name), text);
  const file = path.join(folder, 'source.tgz');
  await pack({ file, cwd: path.join(folder, 'source'), gzip: true, portable: true }, Object.keys(files));
  return file;
}

test('one port takes a service from its source to an answer and its logs, with the official clients', async () => {
  const cloud = await startLocalCloud({ home: tempHome() });
  onTestFinished(() => cloud.stop());
  const options = clientOptions(cloud.port);
  const storage = new Storage({
    ...{
      apiEndpoint: `http://127.0.0.1:${cloud.port}`,
      projectId: 'demo',
      authClient: new PassThroughClient(),
    },
  });
  const builds = new CloudBuildClient(options);
  const logging = new LoggingServiceV2Client(options);
  onTestFinished(async () => {
    await Promise.all([builds.close(), logging.close()]);
  });

  await storage.createBucket('demo_cloudbuild');
  const [object] = await storage
    .bucket('demo_cloudbuild')
    .upload(await archive(), { destination: 'source/1.tgz' });
  const image = 'europe-west1-docker.pkg.dev/demo/sluice/chat:v1';
  const [operation] = await builds.createBuild({
    parent: 'projects/demo/locations/europe-west1',
    projectId: 'demo',
    build: {
      source: {
        storageSource: {
          bucket: 'demo_cloudbuild',
          object: object.name,
          generation: String(object.generation),
        },
      },
      steps: [
        {
          ...{ name: 'gcr.io/k8s-skaffold/pack', entrypoint: 'pack' },
          args: [
            'build',
            image,
            '--builder',
            'gcr.io/buildpacks/builder:latest',
            '--network',
            'cloudbuild',
            '--publish',
          ],
        },
      ],
      images: [image],
    },
  });
  const [built] = await operation.promise();
  const log = await fetch(built.logUrl ?? '');
  expect(await log.text()).toContain('Setting web process: node server.js');
  const digest = built.results?.images?.[0]?.digest ?? '';
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);

  const reference = image.replace(/:v1$/, `@${digest}`);
  const service = await create(connect(cloud.port), {
    template: { containers: [{ image: reference }] },
    invokerIamDisabled: true,
  });
  const revision = service.latestReadyRevision?.split('/').at(-1) ?? '';
  expect(await (await fetch(service.uri ?? '')).text()).toBe(revision);

  const filter = `resource.type="cloud_run_revision" AND resource.labels.revision_name="${revision}" AND jsonPayload.chat=true`;
  const list = async () => (await logging.listLogEntries({ resourceNames: ['projects/demo'], filter }))[0];
  await expect.poll(list).toMatchObject([{ severity: 'NOTICE' }]);
});
