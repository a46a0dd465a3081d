import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { CloudBuildClient, type protos } from '@google-cloud/cloudbuild';
import { create } from 'tar';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { startLocalCloud } from '../../src/local/server.ts';
import { clientOptions, tempHome } from './harness.ts';

export type Build = protos.google.devtools.cloudbuild.v1.IBuild;

const metadataSchema = z.object({ build: z.object({ id: z.string() }) });

/** A local cloud whose images are those that Cloud Build makes in it. */
export async function openBuildCloud() {
  const cloud = await startLocalCloud({ home: tempHome(), trafficDelayMs: 20 });
  onTestFinished(() => cloud.stop());
  const client = new CloudBuildClient(clientOptions(cloud.port));
  onTestFinished(() => client.close());
  const origin = `http://127.0.0.1:${cloud.port}`;
  const post = (url: string, body: string | Uint8Array<ArrayBuffer>) =>
    fetch(origin + url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await post('/storage/v1/b?project=demo', JSON.stringify({ name: 'sources' }));

  /** Packs the files as a client does and uploads them. */
  async function upload(files: Record<string, string>): Promise<NonNullable<Build['source']>> {
    const folder = mkdtempSync(path.join(tmpdir(), 'sluice-source-'));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), content);
    }
    const archive = await buffer(create({ cwd: folder, gzip: true, portable: true }, Object.keys(files)));
    await post('/upload/storage/v1/b/sources/o?uploadType=media&name=source.tgz', new Uint8Array(archive));
    return { storageSource: { bucket: 'sources', object: 'source.tgz' } };
  }

  /** Submits, waits for the end, and reads what became of the build, with its log. */
  async function run(build: Build): Promise<{ build: Build; log: string }> {
    const [operation] = await client.createBuild({ projectId: 'demo', build });
    await operation.promise().catch(() => undefined);
    const { id } = metadataSchema.parse(operation.metadata).build;
    const [ended] = await client.getBuild({ projectId: 'demo', id });
    return { build: ended, log: await (await fetch(String(ended.logUrl))).text() };
  }

  const read = async (bucket: string, object: string) =>
    (await fetch(`${origin}/storage/v1/b/${bucket}/o/${encodeURIComponent(object)}?alt=media`)).text();

  return { cloud, client, origin, post, upload, run, read };
}
