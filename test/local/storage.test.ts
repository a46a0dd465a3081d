import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bucket, Storage } from '@google-cloud/storage';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32c, encodeCrc32c } from '../../src/local/storage/crc32c.ts';
import { parseRange } from '../../src/local/storage/download.ts';
import { openStorage, type StorageBackend } from '../../src/local/storage/index.ts';
import { readRelated } from '../../src/local/storage/multipart.ts';

let home: string;
let backend: StorageBackend;
let server: Server;
let origin: string;
let bucket: Bucket;

beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-storage-'));
  await start();
  [bucket] = await connect('p').createBucket('p_cloudbuild', { location: 'us-central1' });
});

afterEach(async () => {
  await stop();
  rmSync(home, { recursive: true, force: true });
});

async function start(): Promise<void> {
  backend = openStorage({ home });
  server = createServer(async (request, response) => {
    if (!(await backend.handle(request, response))) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(): Promise<void> {
  await backend.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** The official client, which checks the hashes of what it reads and writes. */
function connect(projectId: string): Storage {
  return new Storage({ apiEndpoint: origin, projectId, retryOptions: { autoRetry: false } });
}

const put = (name: string, text: string, query = '') =>
  fetch(
    `${origin}/upload/storage/v1/b/p_cloudbuild/o?uploadType=media&name=${encodeURIComponent(name)}${query}`,
    {
      method: 'POST',
      body: text,
    },
  );

describe('buckets', () => {
  test('are read, listed by project, and belong to one', async () => {
    expect((await bucket.getMetadata())[0]).toMatchObject({ name: 'p_cloudbuild', location: 'US-CENTRAL1' });
    expect((await connect('p').getBuckets())[0].map(({ name }) => name)).toEqual(['p_cloudbuild']);
    expect((await connect('other').getBuckets())[0]).toEqual([]);
    await expect(connect('p').createBucket('p_cloudbuild')).rejects.toMatchObject({
      code: 409,
      message: /own it/,
    });
    await expect(connect('q').createBucket('p_cloudbuild')).rejects.toMatchObject({
      code: 409,
      message: /not available/,
    });
    expect(await connect('p').bucket('nothing').exists()).toEqual([false]);
  });

  test.each(['..', 'UPPER', 'a', 'a/../b', '.hidden'])('are not named %s', async (name) => {
    const response = await fetch(`${origin}/storage/v1/b?project=p`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 400, errors: [{ reason: 'invalid' }] } });
  });
});

describe('objects', () => {
  test.each([
    ['multipart', { resumable: false }],
    ['resumable', { resumable: true }],
    ['resumable in pieces', { resumable: true, chunkSize: 256 * 1024 }],
  ])('%s: what the client uploads it reads back, verified', async (_way, options) => {
    const bytes = randomBytes(700_001);
    const file = bucket.file('source/a b-ü.tgz');
    await file.save(bytes, {
      ...options,
      validation: 'crc32c',
      metadata: { contentType: 'application/gzip' },
    });
    const [metadata] = await file.getMetadata();
    expect(metadata).toMatchObject({
      size: '700001',
      contentType: 'application/gzip',
      metageneration: '1',
      md5Hash: createHash('md5').update(bytes).digest('base64'),
    });
    expect((await file.download({ validation: 'crc32c' }))[0].equals(bytes)).toBe(true);
    expect(await backend.readObject('p_cloudbuild', file.name, String(metadata.generation))).toEqual(bytes);
    expect(await backend.readObject('p_cloudbuild', file.name, '1')).toBeUndefined();
    expect(readdirSync(path.join(home, 'storage', '.staging'))).toEqual([]);
  });

  test('are listed by prefix in pages, and deleted', async () => {
    for (const name of ['a/1', 'a/2', 'b/1']) await bucket.file(name).save(name, { resumable: false });
    const query = { prefix: 'a/', maxResults: 1, autoPaginate: false };
    const [first, next] = await bucket.getFiles(query);
    const [second, end] = await bucket.getFiles({ ...query, ...next });
    expect([...first, ...second].map(({ name }) => name)).toEqual(['a/1', 'a/2']);
    expect(end).toBeNull();
    await bucket.file('a/1').delete();
    await expect(bucket.file('a/1').getMetadata()).rejects.toMatchObject({ code: 404 });
    expect((await bucket.getFiles()).at(0)).toHaveLength(2);
  });

  test('a generation is a precondition: created once, replaced only as last seen', async () => {
    const file = bucket.file('lock');
    const create = () => file.save('mine', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
    await create();
    await expect(create()).rejects.toMatchObject({ code: 412 });
    const generation = String((await file.getMetadata())[0].generation);
    expect((await put('lock', 'next', `&ifGenerationMatch=${generation}`)).status).toBe(200);
    expect((await put('lock', 'late', `&ifGenerationMatch=${generation}`)).status).toBe(412);
    const url = `${origin}/storage/v1/b/p_cloudbuild/o/lock`;
    const { generation: now } = (await (await fetch(url)).json()) as { generation: string };
    expect(Number(now)).toBeGreaterThan(Number(generation));
    expect((await fetch(`${url}?ifGenerationNotMatch=${now}`)).status).toBe(304);
    expect((await fetch(`${url}?ifGenerationMatch=1`, { method: 'DELETE' })).status).toBe(412);
    expect((await file.download())[0].toString()).toBe('next');
  });

  test('of many that create one object at once, one wins', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, n) => put('race', `${n}`, '&ifGenerationMatch=0')),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(412)]);
  });

  test('a growing object is read from an offset on', async () => {
    const read = (range: string) =>
      fetch(`${origin}/download/storage/v1/b/p_cloudbuild/o/log.txt?alt=media`, { headers: { range } });
    expect((await read('bytes=0-')).status).toBe(404);
    await backend.writeObject('p_cloudbuild', 'log.txt', Buffer.from('hello'));
    const first = await read('bytes=2-');
    expect([first.status, first.headers.get('content-range'), await first.text()]).toEqual([
      206,
      'bytes 2-4/5',
      'llo',
    ]);
    const nothing = await read('bytes=5-');
    expect([nothing.status, nothing.headers.get('content-range')]).toEqual([416, 'bytes */5']);
    await backend.writeObject('p_cloudbuild', 'log.txt', Buffer.from('hello world'));
    expect(await (await read('bytes=5-')).text()).toBe(' world');
    expect((await bucket.file('log.txt').download({ start: 6, end: 8 }))[0].toString()).toBe('wor');
  });

  test('survive a restart, with generations that go on', async () => {
    const before = await backend.writeObject('p_cloudbuild', 'kept', Buffer.from('1'));
    await stop();
    await start();
    expect((await connect('p').bucket('p_cloudbuild').file('kept').download())[0].toString()).toBe('1');
    const after = await backend.writeObject('p_cloudbuild', 'kept', Buffer.from('2'));
    expect(BigInt(after.generation)).toBeGreaterThan(BigInt(before.generation));
  });

  test('names that look like paths stay inside the folder', async () => {
    for (const name of ['../../../escape', '/etc/x', 'a/../../b', `${'x'.repeat(1000)}`]) {
      await backend.writeObject('p_cloudbuild', name, Buffer.from(name));
      expect((await bucket.file(name).download())[0].toString()).toBe(name);
    }
    expect(readdirSync(home)).toEqual(['storage']);
    expect(readdirSync(path.join(home, 'storage')).sort()).toEqual(['.staging', 'p_cloudbuild']);
    expect((await put('x'.repeat(1025), '')).status).toBe(400);
  });
});

describe('refusals', () => {
  test('a promised hash that does not hold leaves nothing', async () => {
    const body = [
      '--x\r\ncontent-type: application/json\r\n\r\n{"name":"bad","md5Hash":"AAAA"}\r\n',
      '--x\r\ncontent-type: text/plain\r\n\r\nhello\r\n--x--',
    ].join('');
    const response = await fetch(`${origin}/upload/storage/v1/b/p_cloudbuild/o?uploadType=multipart`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/related; boundary=x' },
      body,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: /MD5/ } });
    expect(await bucket.file('bad').exists()).toEqual([false]);
    expect(readdirSync(path.join(home, 'storage', '.staging'))).toEqual([]);
  });

  const form = { 'content-type': 'multipart/related; boundary=x' };
  const related = (metadata: string | Uint8Array, type = 'text/plain') =>
    Buffer.concat([
      Buffer.from('--x\r\n\r\n'),
      Buffer.from(metadata),
      Buffer.from(`\r\n--x\r\nContent-Type: ${type}\r\n\r\nhello\r\n--x--`),
    ]);
  const deep = '['.repeat(100_000);
  const json = { 'content-type': 'application/json' };
  test.each([
    [
      'a type that no header holds',
      related('{"contentType":"text/é\\n"}'),
      form,
      /contentType must be visible/,
    ],
    ['such a type of the part', related('{}', 'text/é'), form, /contentType must be visible/],
    [
      'such an encoding',
      related('{"contentEncoding":"gz\\r\\nx: y"}'),
      form,
      /contentEncoding must be visible/,
    ],
    ['no UTF-8', related(Buffer.from([0x22, 0xff, 0x22])), form, /not UTF-8/],
    ['depth', related(deep), form, /too deep/],
    ['half a value', related('{'), form, /Invalid JSON/],
    ['depth in a body of its own', deep, json, /too deep/],
    ['no UTF-8 in one', Buffer.from([0x22, 0xff, 0x22]), json, /not UTF-8/],
  ])('metadata with %s are refused', async (_, body, headers, message) => {
    const type = headers === form ? 'multipart' : 'resumable';
    const url = `${origin}/upload/storage/v1/b/p_cloudbuild/o?uploadType=${type}&name=bad`;
    const response = await fetch(url, { method: 'POST', headers, body });
    expect(await response.json()).toMatchObject({
      error: { code: 400, message: expect.stringMatching(message) },
    });
    expect(await bucket.file('bad').exists()).toEqual([false]);
  });

  test.each([
    ['GET', '/storage/v1/b/p_cloudbuild/o/x?userProject=q', 400, /userProject/],
    ['GET', '/storage/v1/b/absent/o', 404, /bucket does not exist/],
    ['PATCH', '/storage/v1/b/p_cloudbuild', 405, /PATCH/],
    ['GET', '/storage/v1/b/p_cloudbuild/o/%E0%A4%A', 400, /encoded/],
    ['POST', '/upload/storage/v1/b/p_cloudbuild/o?uploadType=odd&name=x', 400, /uploadType/],
    ['PUT', '/upload/storage/v1/b/p_cloudbuild/o?uploadType=resumable&upload_id=gone', 404, /session/],
    ['GET', '/storage/v1/c', 404, /Not Found/],
  ])('%s %s', async (method, url, status, message) => {
    const response = await fetch(origin + url, { method });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: status, message } });
  });

  test('a URL of another API is left alone', async () => {
    expect((await fetch(`${origin}/v2/projects/p`)).status).toBe(418);
  });
});

test('CRC-32C gives the published check value', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(encodeCrc32c(0xe3069283)).toBe('4waSgw==');
});

test.each([
  ['bytes=0-', 5, { start: 0, end: 4 }],
  ['bytes=1-2', 5, { start: 1, end: 2 }],
  ['bytes=1-99', 5, { start: 1, end: 4 }],
  ['bytes=-2', 5, { start: 3, end: 4 }],
  ['bytes=5-', 5, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=3-1', 5, undefined],
  ['lines=1-2', 5, undefined],
  [undefined, 5, undefined],
])('range %s of %d bytes', (header, size, expected) => {
  expect(parseRange(header, size)).toEqual(expected);
});

test('multipart media comes out whole however the body is cut', async () => {
  const binary = fc.uint8Array({ maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(binary, fc.integer({ min: 1, max: 20 }), async (media, cut) => {
      const body = Buffer.concat([
        Buffer.from(
          '--b\r\nContent-Type: application/json\r\n\r\n{"name":"n"}\r\n--b\r\nContent-Type: x/y\r\n\r\n',
        ),
        media,
        Buffer.from('\r\n--b--\r\n'),
      ]);
      const pieces = Array.from({ length: Math.ceil(body.length / cut) }, (_, n) =>
        body.subarray(n * cut, (n + 1) * cut),
      );
      const related = await readRelated('multipart/related; boundary="b"', iterate(pieces));
      const chunks: Uint8Array[] = [];
      for await (const chunk of related.media) chunks.push(chunk);
      expect([related.metadata, related.contentType]).toEqual([{ name: 'n' }, 'x/y']);
      expect(Buffer.concat(chunks)).toEqual(Buffer.from(media));
    }),
  );
});

async function* iterate(pieces: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

describe('objects made of objects', () => {
  test('are copied with or without new settings, composed, patched, and gone with their bucket', async () => {
    const file = bucket.file('a.txt');
    await file.save('hello', { contentType: 'text/plain', metadata: { metadata: { k: 'v' } } });
    const [copy] = await file.copy(bucket.file('copy.txt'));
    const [copied] = await copy.getMetadata();
    expect(copied).toMatchObject({ contentType: 'text/plain', metadata: { k: 'v' }, size: '5' });
    await bucket.combine(['a.txt', 'copy.txt'], 'two.txt');
    expect(String((await bucket.file('two.txt').download())[0])).toBe('hellohello');
    const [patched] = await copy.setMetadata({ contentType: 'text/x', metadata: { k: null, l: 'w' } });
    expect(patched).toMatchObject({ contentType: 'text/x', metadata: { l: 'w' }, metageneration: '2' });
    await stop();
    await start();
    bucket = connect('p').bucket('p_cloudbuild');
    expect((await bucket.file('copy.txt').getMetadata())[0]).toMatchObject({ metageneration: '2' });
    expect(String((await bucket.file('a.txt').download())[0])).toBe('hello');

    await expect(bucket.delete()).rejects.toMatchObject({ code: 409 });
    await bucket.deleteFiles();
    await bucket.delete();
    expect((await bucket.exists())[0]).toBe(false);
  });

  test('what a patch cannot change is refused by name', async () => {
    await put('a', 'x');
    const answer = await fetch(`${origin}/storage/v1/b/p_cloudbuild/o/a`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ temporaryHold: true }),
    });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('temporaryHold')]);
    const stale = await fetch(`${origin}/storage/v1/b/p_cloudbuild/o/a?ifMetagenerationMatch=7`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(stale.status).toBe(412);
  });
});
