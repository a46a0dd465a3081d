import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { connectGoogle, connectLocal } from '../../src/cloud/connect.ts';
import { CloudError } from '../../src/cloud/ports/index.ts';
import { Waiting } from '../../src/cloud/waiting.ts';
import { startCloud, tempHome } from '../local/harness.ts';
import { call, ref } from './kit.ts';

test('without credentials it says how to sign in, before any client exists', async () => {
  const empty = mkdtempSync(path.join(tmpdir(), 'sluice-adc-'));
  onTestFinished(() => {
    rmSync(empty, { recursive: true });
    vi.unstubAllEnvs();
  });
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '');
  vi.stubEnv('HOME', empty);
  vi.stubEnv('CLOUDSDK_CONFIG', empty);
  vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
  const { signal } = new AbortController();
  const refused = await connectGoogle({ project: 'demo', signal }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(CloudError);
  expect(refused).toMatchObject({
    kind: 'unauthenticated',
    said: expect.stringContaining('gcloud auth application-default login'),
  });
});

test('connecting costs nothing: what is waited for is counted from the first call on', async () => {
  const local = await startCloud({ home: tempHome() });
  const waiting = new Waiting();
  const cloud = await connectLocal({ port: local.port, project: ref.project, waiting });
  cloud.warm('run', 'logs');
  expect(waiting.milliseconds()).toBe(0);
  await cloud.run.readService(ref, call());
  expect(waiting.milliseconds()).toBeGreaterThan(0);
  await cloud.close();
  await expect(cloud.run.readService(ref, call())).rejects.toBeInstanceOf(CloudError);
});

test('requests are not printed, whatever the environment asks for', async () => {
  vi.stubEnv('GOOGLE_SDK_NODE_LOGGING', 'all');
  const printed = vi.spyOn(process.stderr, 'write');
  onTestFinished(() => {
    vi.unstubAllEnvs();
    printed.mockRestore();
  });
  const local = await startCloud({ home: tempHome() });
  const cloud = await connectLocal({ port: local.port, project: ref.project });
  onTestFinished(() => cloud.close());
  await cloud.run.readService(ref, call());
  expect(printed.mock.calls.map(([text]) => String(text)).join('')).not.toContain('services/chat');
});
