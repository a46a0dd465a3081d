import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { LoggingServiceV2Client, type protos } from '@google-cloud/logging-api';
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type LoggingBackend, openLogging } from '../../src/local/logging/index.ts';
import { loadProtos } from '../../src/local/protos.ts';

type Entry = protos.google.logging.v2.ILogEntry;
type TailResponse = protos.google.logging.v2.ITailLogEntriesResponse;

const definition = loadProtos().service('google.logging.v2.LoggingServiceV2');
const stdout = 'projects/p/logs/run.googleapis.com%2Fstdout';
const resource = { type: 'cloud_run_revision', labels: { service_name: 'chat' } };

let home: string;
let backend: LoggingBackend;
let server: Server;
let client: LoggingServiceV2Client;

beforeEach(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-logging-'));
  await start();
});

afterEach(async () => {
  await stop();
  rmSync(home, { recursive: true, force: true });
});

async function start(options: Partial<Parameters<typeof openLogging>[0]> = {}): Promise<void> {
  backend = openLogging({ home, ...options });
  server = new Server();
  server.addService(definition, {
    ...Object.fromEntries(Object.keys(definition).map((method) => [method, () => {}])),
    ...backend.service,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  client = new LoggingServiceV2Client({
    apiEndpoint: '127.0.0.1',
    port,
    projectId: 'p',
    sslCreds: credentials.createInsecure(),
    authClient: new PassThroughClient(),
  });
}

async function stop(): Promise<void> {
  await backend.stop();
  await client.close();
  server.forceShutdown();
}

function print(text: string, at?: string): void {
  backend.sink.write({
    logName: stdout,
    resource,
    textPayload: text,
    ...(at && { timestamp: new Date(at) }),
  });
}

async function list(request: protos.google.logging.v2.IListLogEntriesRequest = {}): Promise<Entry[]> {
  const [entries] = await client.listLogEntries({ resourceNames: ['projects/p'], ...request });
  return entries;
}

const texts = (entries: readonly Entry[]) => entries.map((entry) => entry.textPayload);

describe('list', () => {
  test('orders by time either way, whatever the order of arrival, and filters', async () => {
    print('second', '2026-01-01T00:00:02Z');
    print('first', '2026-01-01T00:00:01Z');
    print('third', '2026-01-01T00:00:03Z');
    expect(texts(await list())).toEqual(['first', 'second', 'third']);
    expect(texts(await list({ orderBy: 'timestamp desc' }))).toEqual(['third', 'second', 'first']);
    expect(texts(await list({ filter: 'timestamp>"2026-01-01T00:00:01Z" -third' }))).toEqual(['second']);
  });

  test('keeps the order of lines that one millisecond holds', async () => {
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
    for (const line of lines) print(line, '2026-01-01T00:00:00Z');
    expect(texts(await list({ pageSize: 1000 }))).toEqual(lines);
  });

  test('a page token continues behind its entry although entries arrive in between', async () => {
    for (const second of [1, 2, 3, 4]) print(`${second}`, `2026-01-01T00:00:0${second}Z`);
    const request = { resourceNames: ['projects/p'], pageSize: 2 };
    const [first, , { nextPageToken }] = await client.listLogEntries(request, { autoPaginate: false });
    print('late', '2026-01-01T00:00:00Z');
    const [second, , end] = await client.listLogEntries(
      { ...request, pageToken: nextPageToken ?? '' },
      { autoPaginate: false },
    );
    expect(texts([...first, ...second])).toEqual(['1', '2', '3', '4']);
    expect(end.nextPageToken).toBe('');
    const other = client.listLogEntries(
      { ...request, filter: 'x', pageToken: nextPageToken ?? '' },
      { autoPaginate: false },
    );
    await expect(other).rejects.toMatchObject({ code: 3, details: /page_token/ });
  });

  test('sees one project only', async () => {
    print('mine');
    expect(await list({ resourceNames: ['projects/other'] })).toEqual([]);
  });

  test.each([
    [{ filter: 'sample(x, 1)' }, /sample\(\) is not supported at position 0/],
    [{ orderBy: 'severity' }, /order_by/],
    [{ resourceNames: ['folders/1'] }, /folders\/1/],
    [{ pageToken: 'x' }, /page_token/],
  ])('refuses %o', async (request, details) => {
    await expect(list(request)).rejects.toMatchObject({ code: 3, details });
  });

  test('lists the names of logs', async () => {
    print('x');
    expect((await client.listLogs({ parent: 'projects/p' }))[0]).toEqual([stdout]);
  });
});

describe('write', () => {
  test('keeps nanoseconds and payloads, and shows a repeated entry once', async () => {
    const timestamp = { seconds: 1_700_000_000, nanos: 123_456_789 };
    const jsonPayload = {
      fields: { n: { numberValue: 1.5 }, l: { listValue: { values: [{ boolValue: true }] } } },
    };
    const entry = { logName: stdout, insertId: 'twice', timestamp, severity: 'ERROR' as const, jsonPayload };
    await client.writeLogEntries({ resource, labels: { a: 'b' }, entries: [entry] });
    await client.writeLogEntries({ resource, entries: [entry] });
    const entries = await list({ filter: 'jsonPayload.n=1.5 jsonPayload.l=true severity=ERROR' });
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      insertId: 'twice',
      timestamp: { nanos: 123_456_789 },
      labels: { a: 'b' },
    });
    expect(entries[0]?.jsonPayload?.fields?.['n']?.numberValue).toBe(1.5);
  });

  test.each([
    [{ entries: [{ logName: 'nonsense', resource }] }, /nonsense/],
    [{ entries: [{ logName: stdout }] }, /resource type/],
  ])('refuses %o', async (request, details) => {
    await expect(client.writeLogEntries(request)).rejects.toMatchObject({ code: 3, details });
  });

  test('a payload that is nested or long beyond reason is cut, not fatal', async () => {
    const deep = JSON.parse(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`);
    backend.sink.write({ logName: stdout, resource, jsonPayload: deep });
    print('x'.repeat(1_000_000));
    const [first, second] = await list();
    expect(first?.jsonPayload?.fields?.['a']).toBeDefined();
    expect(second?.textPayload).toHaveLength(256 * 1024);
  });
});

describe('tail', () => {
  type Tail = ReturnType<LoggingServiceV2Client['tailLogEntries']>;

  /** Resolves once the server has opened the tail. */
  async function openTail(request: protos.google.logging.v2.ITailLogEntriesRequest): Promise<{
    stream: Tail;
    responses: TailResponse[];
    failed: Promise<unknown>;
  }> {
    const stream = client.tailLogEntries();
    const responses: TailResponse[] = [];
    stream.on('data', (response: TailResponse) => responses.push(response));
    const failed = new Promise<unknown>((resolve) => stream.on('error', resolve));
    const opened = new Promise((resolve) => stream.once('metadata', resolve));
    stream.write({ resourceNames: ['projects/p'], ...request });
    await Promise.race([opened, failed]);
    return { stream, responses, failed };
  }

  const seen = (responses: TailResponse[]) => responses.flatMap((response) => texts(response.entries ?? []));

  test('pushes what matches as soon as it is written', async () => {
    const { stream, responses } = await openTail({
      filter: 'textPayload:keep',
      bufferWindow: { seconds: 0 },
    });
    for (const text of ['keep 1', 'drop', 'keep 2']) print(text);
    await vi.waitFor(() => expect(seen(responses)).toEqual(['keep 1', 'keep 2']), { timeout: 5000 });
    stream.cancel();
  });

  test('gathers for the window and orders within a response', async () => {
    const { stream, responses } = await openTail({ bufferWindow: { nanos: 100_000_000 } });
    print('b', '2026-01-01T00:00:02Z');
    print('a', '2026-01-01T00:00:01Z');
    await vi.waitFor(() => expect(seen(responses)).toEqual(['a', 'b']), { timeout: 5000 });
    expect(responses).toHaveLength(1);
    stream.cancel();
  });

  test('says how many entries a bounded queue could not hold', async () => {
    await stop();
    await start({ tailLimits: { queued: 3 } });
    const { stream, responses } = await openTail({ bufferWindow: { nanos: 100_000_000 } });
    for (const text of ['1', '2', '3', '4', '5']) print(text);
    await vi.waitFor(() => expect(seen(responses)).toEqual(['1', '2', '3']), { timeout: 5000 });
    expect(responses[0]?.suppressionInfo).toMatchObject([{ reason: 'NOT_CONSUMED', suppressedCount: 2 }]);
    stream.cancel();
  });

  test('allows ten a project, and again when one has gone', async () => {
    const open = await Promise.all(Array.from({ length: 10 }, () => openTail({})));
    const eleventh = await openTail({});
    expect(await eleventh.failed).toMatchObject({ code: 8 });
    for (const { stream } of open) stream.cancel();
    await vi.waitFor(async () => {
      const { stream, responses } = await openTail({ bufferWindow: { seconds: 0 } });
      print('again');
      await vi.waitFor(() => expect(seen(responses)).toContain('again'), { timeout: 500 });
      stream.cancel();
    }, 10_000);
  });

  test('ends after the longest session, on a bad query, and when the cloud stops', async () => {
    const bad = await openTail({ filter: '(' });
    expect(await bad.failed).toMatchObject({ code: 3 });
    const stopped = await openTail({});
    await backend.stop();
    expect(await stopped.failed).toMatchObject({ code: 14 });
    await client.close();
    server.forceShutdown();
    await start({ tailLimits: { sessionMs: 50 } });
    const long = await openTail({});
    expect(await long.failed).toMatchObject({
      code: 11,
      details: expect.stringContaining('Session has run'),
    });
  });
});

describe('over a restart', () => {
  test('entries stay, and a torn last line is cut off', async () => {
    print('kept \u2028 whole');
    await stop();
    const file = path.join(home, 'logs', readdirSync(path.join(home, 'logs'))[0] ?? '');
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"logName":"proj`);
    await start();
    print('later');
    await stop();
    await start();
    expect(texts(await list())).toEqual(['kept \u2028 whole', 'later']);
  });

  test('the index is made anew where it is gone, damaged or behind its lines', async () => {
    for (const second of [3, 1, 2]) print(`${second}`, `2026-01-01T00:00:0${second}Z`);
    await stop();
    const index = path.join(home, 'logs', 'entries-00000001.index');
    const whole = readFileSync(index);
    const damaged = [Buffer.alloc(0), whole.subarray(0, -7), Buffer.concat([whole, Buffer.from('garbage')])];
    for (const bytes of damaged) {
      writeFileSync(index, bytes);
      await start();
      expect(texts(await list())).toEqual(['1', '2', '3']);
      await stop();
      expect(readFileSync(index)).toEqual(whole);
    }
    await start();
  });

  test('a log that was deleted stays so, and what it gets later is there', async () => {
    const logName = 'projects/p/logs/notes';
    const write = (textPayload: string) =>
      client.writeLogEntries({ resource, entries: [{ logName, textPayload }] });
    await write('gone');
    print('kept');
    await client.deleteLog({ logName });
    await write('new');
    const there = ['kept', 'new'];
    expect(texts(await list())).toEqual(there);
    await expect(client.deleteLog({ logName: 'projects/p/logs/none' })).rejects.toMatchObject({ code: 5 });
    await stop();
    await start();
    expect(texts(await list())).toEqual(there);
    await stop();
    rmSync(path.join(home, 'logs', 'entries-00000001.index'));
    await start();
    expect(texts(await list())).toEqual(there);
  });

  test('entries in any order, over several files, read as a sorted list would', async () => {
    await stop();
    await start({ limits: { segmentBytes: 2_000 } });
    const numbers = Array.from({ length: 60 }, (_, index) => (index * 37) % 60);
    for (const number of numbers) {
      const timestamp = { seconds: number >> 2 };
      const entry = { insertId: `i${number % 7}`, timestamp, textPayload: String(number) };
      await client.writeLogEntries({ logName: stdout, resource, entries: [entry] });
    }
    const wanted = [...numbers].sort((a, b) => (a >> 2) - (b >> 2) || (a % 7) - (b % 7)).map(String);
    expect(texts(await list({ pageSize: 7 }))).toEqual(wanted);
    await stop();
    await start();
    expect(texts(await list({ pageSize: 7 }))).toEqual(wanted);
    expect(texts(await list({ pageSize: 7, orderBy: 'timestamp desc' }))).toEqual(wanted.reverse());
  });

  test('a page ends after so many entries were looked at, and says where to go on', async () => {
    const entries = Array.from({ length: 10_001 }, (_, index) => ({ textPayload: `line ${index}` }));
    await client.writeLogEntries({ logName: stdout, resource, entries });
    const request = { resourceNames: ['projects/p'], filter: 'textPayload:"line 10000"' };
    const [none, , { nextPageToken }] = await client.listLogEntries(request, { autoPaginate: false });
    expect([none, nextPageToken]).toEqual([[], expect.stringMatching(/./)]);
    expect(texts(await list({ filter: request.filter }))).toEqual(['line 10000']);
    expect(texts(await list({ filter: `${request.filter} severity>=ERROR` }))).toEqual([]);
  });

  test('the files are bounded: the oldest go', async () => {
    await stop();
    await start({ limits: { segmentBytes: 10_000, bytes: 40_000 } });
    for (let index = 0; index < 180; index += 1) {
      print(`${index} ${'x'.repeat(1_000)}`);
      await setImmediate();
    }
    const kept = await list({ orderBy: 'timestamp desc', pageSize: 1000 });
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.length).toBeLessThan(40);
    expect(kept[0]?.textPayload).toMatch(/^179 /);
    await stop();
    await start();
    expect(texts(await list({ orderBy: 'timestamp desc', pageSize: 1000 }))).toEqual(texts(kept));
  });
});
