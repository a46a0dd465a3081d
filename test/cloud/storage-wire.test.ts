import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { connectLocal } from '../../src/cloud/connect.ts';
import { startCloud, tempHome } from '../local/harness.ts';
import { call, connectTo, kindOf } from './kit.ts';

const bucket = { project: 'demo', region: 'europe-west1', name: 'demo_cloudbuild' };
const at = { bucket: bucket.name, object: 'source/a.tgz' };

async function open() {
  const local = await startCloud({ home: tempHome() });
  const { storage } = await connectTo(local.port);
  await storage.ensureBucket(bucket, call());
  return { local, storage };
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('buckets', () => {
  test('are made once', async () => {
    const { storage } = await open();
    await storage.ensureBucket(bucket, call());
    const { generation } = await storage.upload(at, Buffer.from('x'), call());
    expect(generation).toMatch(/^\d+$/);
  });

  test('of another project are refused', async () => {
    const { local } = await open();
    const other = await connectLocal({ port: local.port, project: 'other' });
    const taken = other.storage.ensureBucket({ ...bucket, project: 'other' }, call());
    expect(await kindOf(taken)).toBe('forbidden');
    await other.close();
  });

  test('that are not there take no object', async () => {
    const { storage } = await open();
    const upload = storage.upload({ ...at, bucket: 'demo_missing' }, Buffer.from('x'), call());
    expect(await kindOf(upload)).toBe('not-found');
  });
});

describe('objects', () => {
  test.for([0, 1, 100_000, 20 << 20])('of %i bytes arrive whole, read piece by piece', async (size) => {
    const { storage } = await open();
    const bytes = randomBytes(size);
    const uploaded = await storage.upload(at, bytes, call());
    expect(uploaded).toMatchObject(at);
    const pieces: Uint8Array[] = [];
    let offset = 0;
    for (;;) {
      const piece = await storage.readFrom({ ...at, offset }, call());
      if (!piece || piece.length === 0) break;
      pieces.push(piece);
      offset += piece.length;
    }
    expect(hash(Buffer.concat(pieces))).toBe(hash(bytes));
  });

  test('that grow are read from where the last read ended', async () => {
    const { storage } = await open();
    const from = (offset: number) => storage.readFrom({ ...at, offset }, call());
    expect(await from(0)).toBeUndefined();
    await storage.upload(at, Buffer.from('one\n'), call());
    expect(Buffer.from((await from(0)) ?? []).toString()).toBe('one\n');
    expect(await from(4)).toHaveLength(0);
    const second = await storage.upload(at, Buffer.from('one\ntwo\n'), call());
    expect(Buffer.from((await from(4)) ?? []).toString()).toBe('two\n');
    expect(Number(second.generation)).toBeGreaterThan(0);
  });

  test('are not sent after the signal', async () => {
    const { storage } = await open();
    const upload = storage.upload(at, Buffer.from('x'), { signal: AbortSignal.abort() });
    expect(await kindOf(upload)).toBe('aborted');
    expect(await storage.readFrom({ ...at, offset: 0 }, call())).toBeUndefined();
  });
});

test('an ID token is minted for an audience and never printed', async () => {
  const local = await startCloud({ home: tempHome() });
  const { identity } = await connectTo(local.port);
  const token = await identity.idToken('http://127.0.0.1:1', call());
  const [, payload = ''] = token.reveal().split('.');
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
    aud: 'http://127.0.0.1:1',
  });
  expect(`${token}${JSON.stringify({ token })}`).not.toContain(payload);
  expect(await identity.whoami(call())).not.toBe('');
  expect(await kindOf(identity.idToken('', call()))).toBe('invalid');
});
