import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { connectLocal } from '../../src/cloud/connect.ts';
import type { StoragePort } from '../../src/cloud/ports/index.ts';
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

describe('preconditions', () => {
  const object = { ...at, object: 'ledger/locks/chat.json' };
  const read = (storage: StoragePort) => storage.read({ ...object, maxBytes: 100 }, call());

  test('an object is made, replaced and removed only as it was last seen', async () => {
    const { storage } = await open();
    const write = (ifGeneration: string, text: string) =>
      storage.write({ ...object, ifGeneration }, Buffer.from(text), call());
    expect(await read(storage)).toBeUndefined();
    const first = await write('0', 'one');
    expect(await kindOf(write('0', 'two'))).toBe('precondition');
    const second = await write(first.generation, 'three');
    expect(await kindOf(write(first.generation, 'four'))).toBe('precondition');
    const found = await read(storage);
    expect(found?.generation).toBe(second.generation);
    expect(Buffer.from(found?.bytes ?? []).toString()).toBe('three');
    const remove = (ifGeneration: string) => storage.remove({ ...object, ifGeneration }, call());
    expect(await kindOf(remove(first.generation))).toBe('precondition');
    await remove(second.generation);
    expect(await kindOf(remove(second.generation))).toBe('not-found');
    expect(await kindOf(write(second.generation, 'five'))).toBe('precondition');
    expect(await read(storage)).toBeUndefined();
  });

  test('of many who make one object at once one does', async () => {
    const { storage } = await open();
    const tries = Array.from({ length: 8 }, (_, index) =>
      kindOf(storage.write({ ...object, ifGeneration: '0' }, Buffer.from(`${index}`), call())),
    );
    const outcomes = await Promise.all(tries);
    expect(outcomes.toSorted()).toEqual([...Array(7).fill('precondition'), 'resolved']);
  });

  test('an object that is too large is not taken for a whole one', async () => {
    const { storage } = await open();
    await storage.write({ ...object, ifGeneration: '0' }, Buffer.alloc(101), call());
    expect(await kindOf(read(storage))).toBe('invalid');
  });
});

test('names are listed by prefix and folded at a delimiter, page after page', async () => {
  const { local, storage } = await open();
  const names = ['a/1', 'a/2', 'a/b/1', 'a/b/2', 'a/c/1', 'b/1'];
  for (const object of names) {
    await storage.write({ bucket: bucket.name, object, ifGeneration: '0' }, Buffer.from('x'), call());
  }
  const list = (prefix: string, delimiter?: string) =>
    storage.list({ bucket: bucket.name, prefix, ...(delimiter && { delimiter }) }, call());
  expect(await list('a/')).toEqual({ objects: names.slice(0, 5), prefixes: [] });
  expect(await list('a/', '/')).toEqual({ objects: ['a/1', 'a/2'], prefixes: ['a/b/', 'a/c/'] });
  expect(await list('z')).toEqual({ objects: [], prefixes: [] });
  expect(await kindOf(storage.list({ bucket: 'demo_missing', prefix: '' }, call()))).toBe('not-found');

  const page = async (token: string) => {
    const url = `http://127.0.0.1:${local.port}/storage/v1/b/${bucket.name}/o?prefix=a/&delimiter=/&maxResults=1${token}`;
    return (await (await fetch(url)).json()) as {
      nextPageToken?: string;
      items?: unknown[];
      prefixes?: string[];
    };
  };
  const pages: string[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const { items = [], prefixes = [], nextPageToken } = await page(token && `&pageToken=${token}`);
    pages.push(...items.map(() => 'object'), ...prefixes);
    token = nextPageToken;
  }
  expect(pages).toEqual(['object', 'object', 'a/b/', 'a/c/']);
});

test('a refused precondition is told in the shape of the JSON API', async () => {
  const { local, storage } = await open();
  await storage.write({ ...at, ifGeneration: '0' }, Buffer.from('x'), call());
  const url = `http://127.0.0.1:${local.port}/upload/storage/v1/b/${bucket.name}/o`;
  const answer = await fetch(`${url}?uploadType=media&name=${at.object}&ifGenerationMatch=0`, {
    method: 'POST',
    body: 'y',
  });
  expect(answer.status).toBe(412);
  const message = 'At least one of the pre-conditions you specified did not hold.';
  expect(await answer.json()).toEqual({
    error: {
      ...{ code: 412, message },
      errors: [
        {
          message,
          domain: 'global',
          reason: 'conditionNotMet',
          locationType: 'header',
          location: 'If-Match',
        },
      ],
    },
  });
});
