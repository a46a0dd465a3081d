import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { create } from 'tar';
import { expect, onTestFinished, test } from 'vitest';
import type { BuildRequest } from '../../src/cloud/ports/index.ts';
import { startCloud, tempHome } from '../local/harness.ts';
import { call, connectTo, kindOf, ref } from './kit.ts';

const image = 'europe-west1-docker.pkg.dev/demo/sluice/chat:v1';

async function open() {
  const local = await startCloud({ home: tempHome() });
  const cloud = await connectTo(local.port);
  const bucket = { project: ref.project, region: ref.region, name: 'demo_cloudbuild' };
  await cloud.storage.ensureBucket(bucket, call());

  async function request(buildScript: string): Promise<BuildRequest> {
    const folder = mkdtempSync(path.join(tmpdir(), 'sluice-source-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const scripts = { build: buildScript, start: 'node index.js' };
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'chat', scripts }));
    writeFileSync(path.join(folder, 'index.js'), '');
    const pieces: Buffer[] = [];
    for await (const piece of create({ gzip: true, cwd: folder, portable: true }, ['.'])) {
      pieces.push(Buffer.from(piece));
    }
    const object = { bucket: bucket.name, object: 'source/a.tgz' };
    const source = await cloud.storage.upload(object, Buffer.concat(pieces), call());
    const pack = ['build', image, '--builder', 'gcr.io/buildpacks/builder:latest'];
    const args = [...pack, '--network', 'cloudbuild', '--publish'];
    return {
      project: ref.project,
      region: ref.region,
      source,
      steps: [{ name: 'gcr.io/k8s-skaffold/pack', entrypoint: 'pack', args }],
      images: [image],
      tags: ['sluice'],
      substitutions: {},
      timeoutSeconds: 120,
      cloudLoggingOnly: true,
    };
  }
  return { local, build: cloud.build, request };
}

test('a build is submitted, awaited and gives a digest', async () => {
  const { build, request } = await open();
  const built = await build.submit(await request('true'), call());
  expect(built).toMatchObject({ project: ref.project, region: ref.region });
  const state = await build.await(built, call());
  expect(state).toMatchObject({ id: built.id, status: 'SUCCESS', logsBucket: '' });
  expect(state.images).toEqual([{ name: image, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) }]);
});

test('a build that fails is read again, and says why', async () => {
  const { build, request } = await open();
  const state = await build.await(await build.submit(await request('exit 7'), call()), call());
  expect(state).toMatchObject({ status: 'FAILURE', failure: { type: 'USER_BUILD_STEP' }, images: [] });
});

test('a build is waited for without its operation too', async () => {
  const { local, build, request } = await open();
  const denied = { code: 'PERMISSION_DENIED', message: 'no operations for you' };
  local.inject({ api: 'operations', method: 'WaitOperation', ...denied, times: 100 });
  const built = await build.submit(await request('true'), call());
  expect(await build.await(built, call())).toMatchObject({ status: 'SUCCESS' });
});

test('a wait ends at its deadline with what the build is then, and a cancelled build is over', async () => {
  const { build, request } = await open();
  const built = await build.submit(await request('sleep 60'), call());
  expect(await build.await(built, call({ timeoutMs: 300 }))).toMatchObject({
    status: expect.stringMatching(/^(QUEUED|WORKING)$/),
  });
  await build.cancel(built, call());
  expect(await build.await(built, call())).toMatchObject({ status: 'CANCELLED' });
});

test('a build that is not there', async () => {
  const { build } = await open();
  const unknown = { id: 'x', project: ref.project, region: ref.region, operation: '' };
  expect(await kindOf(build.read(unknown, call()))).toBe('not-found');
});
