import { LoggingServiceV2Client } from '@google-cloud/logging-api';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import { describe, expect, onTestFinished, test } from 'vitest';
import { followLogs } from '../../src/cloud/follow-logs.ts';
import type { LogEntry, LogsPort } from '../../src/cloud/ports/index.ts';
import { startCloud, tempHome } from '../local/harness.ts';
import { call, connectTo, kindOf } from './kit.ts';

const tailEntries = { api: 'logging', method: 'TailLogEntries' } as const;
const filter = 'resource.type="cloud_run_revision" AND resource.labels.service_name="chat"';
const query = { project: 'demo', filter };
const resource = {
  type: 'cloud_run_revision',
  labels: { project_id: 'demo', service_name: 'chat', revision_name: 'chat-a', location: 'europe-west1' },
};

async function open() {
  const local = await startCloud({ home: tempHome() });
  const cloud = await connectTo(local.port);
  const writer = new LoggingServiceV2Client({
    apiEndpoint: '127.0.0.1',
    port: local.port,
    projectId: 'demo',
    sslCreds: credentials.createInsecure(),
    authClient: new PassThroughClient(),
  });
  onTestFinished(() => writer.close());
  const write = (entries: object[]) =>
    writer.writeLogEntries({
      logName: 'projects/demo/logs/run.googleapis.com%2Fstdout',
      resource,
      labels: { instanceId: 'i-1' },
      entries,
    });
  return { local, logs: cloud.logs, write };
}

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ textPayload: `line ${from + index}` }));

const texts = (entries: LogEntry[]) =>
  entries.map(({ payload }) => (payload.kind === 'text' ? payload.text : payload.kind));

/** Iterates until all these texts have come. */
async function gather(source: AsyncIterable<LogEntry[]>, wanted: string[], seen = new Set<string>()) {
  for await (const entries of source) {
    for (const text of texts(entries)) seen.add(text);
    if (wanted.every((text) => seen.has(text))) break;
  }
  return seen;
}

/** Writes one more line until the tail shows one: from then on nothing that is written can be missed. */
async function untilOpen(tail: AsyncIterator<LogEntry[]>, write: (entries: object[]) => Promise<unknown>) {
  const first = tail.next();
  const opened = first.then(() => true);
  while (!(await Promise.race([opened, new Promise((resolve) => setTimeout(resolve, 50, false))]))) {
    await write([{ textPayload: 'knock' }]);
  }
  return first;
}

describe('lists', () => {
  test('entries come in the words of the port, whatever their payload', async () => {
    const { logs, write } = await open();
    await write([
      {
        timestamp: { seconds: 1_790_000_000, nanos: 5 },
        severity: 'WARNING',
        insertId: 'one',
        jsonPayload: { fields: { message: { stringValue: 'hi' }, list: listOf(1, null, true) } },
        trace: 'projects/demo/traces/t',
        httpRequest: {
          requestMethod: 'GET',
          requestUrl: 'http://x/',
          status: 503,
          latency: { seconds: 1, nanos: 5e8 },
        },
      },
      { timestamp: { seconds: 1_790_000_001 }, insertId: 'two', textPayload: '' },
    ]);
    const entries = await logs.list({ ...query, limit: 10 }, call());
    expect(entries).toEqual([
      {
        insertId: 'one',
        timestamp: '2026-09-21T14:13:20.000000005Z',
        severity: 'WARNING',
        log: 'run.googleapis.com/stdout',
        service: 'chat',
        revision: 'chat-a',
        instance: 'i-1',
        payload: { kind: 'json', json: { message: 'hi', list: [1, null, true] } },
        request: { method: 'GET', url: 'http://x/', status: 503, latencySeconds: 1.5 },
        trace: 'projects/demo/traces/t',
      },
      expect.objectContaining({ insertId: 'two', payload: { kind: 'text', text: '' } }),
    ]);
  });

  test('go over pages up to the limit, from either end', async () => {
    const { logs, write } = await open();
    await write(
      lines(0, 1_500).map((line, index) => ({ ...line, timestamp: { seconds: 1_790_000_000 + index } })),
    );
    const oldest = await logs.list({ ...query, limit: 1_200 }, call());
    expect(texts(oldest)).toEqual(textsOf(0, 1_200));
    const newest = await logs.listNewest({ ...query, limit: 1_200 }, call());
    expect(texts(newest)).toEqual(textsOf(300, 1_500));
  });

  test('a wrong filter is invalid, and the API says why', async () => {
    const { logs } = await open();
    expect(await kindOf(logs.list({ ...query, filter: 'severity >', limit: 1 }, call()))).toBe('invalid');
  });
});

describe('a tail', () => {
  test('gives entries as they come and ends quietly when it is closed', async () => {
    const { logs, write } = await open();
    const tail = logs.tail(query, call());
    const entries = tail[Symbol.asyncIterator]();
    await untilOpen(entries, write);
    await write(lines(0, 3));
    await gather({ [Symbol.asyncIterator]: () => ({ next: () => entries.next() }) }, textsOf(0, 3));
    const end = entries.next();
    tail.close();
    expect(await end).toEqual({ done: true, value: undefined });
  });

  test('that was closed before it opened ends quietly too', async () => {
    const { logs } = await open();
    const tail = logs.tail(query, call());
    tail.close();
    expect(await tail[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  test('is aborted by the signal', async () => {
    const { logs } = await open();
    const stop = new AbortController();
    const tail = logs.tail(query, { signal: stop.signal });
    const end = kindOf(tail[Symbol.asyncIterator]().next());
    stop.abort();
    expect(await end).toBe('aborted');
  });

  test('that the server cuts is lost, and one with a wrong filter invalid', async () => {
    const { local, logs, write } = await open();
    local.inject({ ...tailEntries, cutStreamAfter: 0, times: 1 });
    const entries = logs.tail(query, call())[Symbol.asyncIterator]();
    expect(await kindOf(untilOpen(entries, write))).toBe('unavailable');
    const wrong = logs.tail({ ...query, filter: 'severity >' }, call());
    expect(await kindOf(wrong[Symbol.asyncIterator]().next())).toBe('invalid');
  });
});

describe('following', () => {
  const since = new Date(Date.now() - 1_000).toISOString();

  function follow(logs: LogsPort, signal: AbortSignal, notices: string[] = []) {
    return followLogs(logs, { ...query, since }, { signal }, (notice) => notices.push(notice));
  }

  test('shows what was written before the tail and ends with the signal', async () => {
    const { logs, write } = await open();
    await write(lines(0, 5));
    const stop = new AbortController();
    const seen = new Set<string>();
    for await (const entries of follow(logs, stop.signal)) {
      for (const text of texts(entries)) seen.add(text);
      if (seen.size === 5) stop.abort();
    }
    expect([...seen]).toEqual(textsOf(0, 5));
  });

  test('loses and repeats nothing when the stream is cut, and says so', async () => {
    const { local, logs, write } = await open();
    local.inject({ ...tailEntries, cutStreamAfter: 1, times: 2 });
    const notices: string[] = [];
    const stop = new AbortController();
    const all: string[] = [];
    const writing = (async () => {
      for (let line = 0; line < 40; line += 1) {
        await write(lines(line, line + 1));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    for await (const entries of follow(logs, stop.signal, notices)) {
      all.push(...texts(entries));
      if (all.length >= 40) stop.abort();
    }
    await writing;
    expect(all.sort()).toEqual(textsOf(0, 40).sort());
    expect(notices.join()).toContain('the log stream was lost');
  });

  test('lists instead when tails keep failing', async () => {
    const { local, logs, write } = await open();
    const exhausted = { code: 'RESOURCE_EXHAUSTED', message: 'too many tails' };
    local.inject({ ...tailEntries, ...exhausted, times: 1_000 });
    const notices: string[] = [];
    const stop = new AbortController();
    const source = follow(logs, stop.signal, notices);
    await write(lines(0, 2));
    const seen = new Set<string>();
    for await (const entries of source) {
      for (const text of texts(entries)) seen.add(text);
      if (notices.at(-1)?.includes('instead') && seen.size === 2) await write(lines(2, 4));
      if (seen.size === 4) stop.abort();
    }
    expect([...seen].sort()).toEqual(textsOf(0, 4));
  });

  test('stops at what will not pass', async () => {
    const { local, logs } = await open();
    const denied = { code: 'PERMISSION_DENIED', message: 'no logging.logEntries.list' };
    local.inject({ api: 'logging', method: 'ListLogEntries', ...denied, times: 1 });
    const stop = new AbortController();
    expect(await kindOf(gather(follow(logs, stop.signal), ['never']))).toBe('forbidden');
    stop.abort();
  });
});

function textsOf(from: number, to: number): string[] {
  return lines(from, to).map(({ textPayload }) => textPayload);
}

function listOf(...values: (number | boolean | null)[]) {
  return {
    listValue: {
      values: values.map((value) => {
        if (value === null) return { nullValue: 'NULL_VALUE' as const };
        return typeof value === 'number' ? { numberValue: value } : { boolValue: value };
      }),
    },
  };
}
