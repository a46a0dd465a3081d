import { once } from 'node:events';
import { rmSync, symlinkSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { Route, Router, RunnableRevision, Runtime, TokenAuthority } from '../../src/local/contracts.ts';
import { readSession, sessionCookie } from '../../src/local/router/affinity.ts';
import { openRouter, type RememberedPorts } from '../../src/local/router/index.ts';
import { pickRevision } from '../../src/local/router/split.ts';
import { traceRequest } from '../../src/local/router/trace.ts';
import { openRuntime } from '../../src/local/runtime/index.ts';
import { openTokens } from '../../src/local/tokens.ts';
import { MemoryLog, nodeRevision, noSecrets, server, temporaryFolder, text } from './runtime-kit.ts';

let home: string;
let logs: MemoryLog;
let runtime: Runtime;
let router: Router;
let ports: Map<string, number>;
let tokens: TokenAuthority;

const remember = (map: Map<string, number>): RememberedPorts => ({
  get: (name) => map.get(name),
  set: (name, port) => void map.set(name, port),
  delete: (name) => void map.delete(name),
});

beforeEach(() => {
  home = temporaryFolder();
  logs = new MemoryLog();
  runtime = openRuntime({ home, logs, secrets: noSecrets, pendingMs: 50, graceMs: 100 });
  ports = new Map();
  tokens = openTokens({ home });
  router = openRouter({ logs, runtime, tokens, ports: remember(ports) });
});

afterEach(async () => {
  await router.stop();
  await runtime.stop();
  rmSync(home, { recursive: true });
});

const route = (split: Route['split'], change: Partial<Route> = {}): Route => ({
  project: 'demo',
  location: 'europe-west1',
  service: 'chat',
  public: true,
  reachable: true,
  split,
  tags: [],
  ...change,
});

const all = (revision: string) => [{ revision, percent: 100 }];

async function deployed(code: string, change: Partial<RunnableRevision> = {}): Promise<string> {
  const revision = nodeRevision(home, code, change);
  symlinkSync(path.resolve('node_modules'), path.join(revision.image.root, 'node_modules'));
  const report = await runtime.deploy(revision);
  expect(report).toEqual({ ready: true });
  return revision.revision;
}

const lastRequest = async (count = 1) => (await logs.seen('requests', () => true, count)).at(-1);

const webSocketServer = (onConnection: string) => `
const { WebSocketServer } = require('ws');
new WebSocketServer({ port: Number(process.env.PORT) }).on('connection', (socket, request) => { ${onConnection} });
`;

async function refusedStatus(socket: WebSocket): Promise<number | undefined> {
  socket.on('error', () => undefined);
  const [, response] = await once(socket, 'unexpected-response');
  if (!(response instanceof http.IncomingMessage)) throw new Error('no response');
  response.destroy();
  return response.statusCode;
}

describe('split', () => {
  test('goes to revisions in proportion', () => {
    const split = [
      { revision: 'a', percent: 0 },
      { revision: 'b', percent: 10 },
      { revision: 'c', percent: 90 },
    ];
    const picks = Array.from({ length: 2000 }, (_, index) => pickRevision(split, index / 2000));
    expect(picks.filter((pick) => pick === 'a')).toHaveLength(0);
    expect(picks.filter((pick) => pick === 'b')).toHaveLength(200);
    expect(picks.filter((pick) => pick === 'c')).toHaveLength(1800);
    expect(pickRevision([], 0)).toBeUndefined();
  });

  test('never goes to a revision with no percent', () => {
    const entry = fc.record({ revision: fc.string(), percent: fc.nat(100) });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.array(entry), random, (split, at) => {
        const pick = pickRevision(split, at);
        const possible = split.filter(({ percent }) => percent > 0).map(({ revision }) => revision);
        return pick === undefined ? possible.length === 0 : possible.includes(pick);
      }),
    );
  });

  test('really spreads requests over the revisions', async () => {
    const [a, b] = await Promise.all([deployed(server("'a'")), deployed(server("'b'"))]);
    const { uri } = await router.apply(
      route([
        { revision: a, percent: 50 },
        { revision: b, percent: 50 },
      ]),
    );
    const answers = await Promise.all(Array.from({ length: 100 }, async () => (await fetch(uri)).text()));
    expect(new Set(answers)).toEqual(new Set(['a', 'b']));
  });
});

describe('http', () => {
  test('passes requests, and adds to them only what Cloud Run adds', async () => {
    const revision = await deployed(server('JSON.stringify(req.headers)'));
    const { uri } = await router.apply(route(all(revision)));
    const response = await fetch(`${uri}/path?q=1`, { headers: { 'user-agent': 'test/1' } });
    const seen: Record<string, string> = JSON.parse(await response.text());
    expect(seen).toMatchObject({
      host: new URL(uri).host,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-cloud-trace-context': expect.stringMatching(/^[0-9a-f]{32}\/\d+;o=1$/),
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
    expect([...response.headers.keys()].sort()).toEqual([
      'connection',
      'content-length',
      'date',
      'keep-alive',
    ]);

    const entry = await lastRequest();
    expect(entry).toMatchObject({
      severity: 'INFO',
      trace: `projects/demo/traces/${seen['x-cloud-trace-context']?.slice(0, 32)}`,
      resource: { labels: { revision_name: revision, service_name: 'chat', configuration_name: 'chat' } },
      httpRequest: {
        requestMethod: 'GET',
        requestUrl: `${uri}/path?q=1`,
        status: 200,
        userAgent: 'test/1',
        remoteIp: '127.0.0.1',
        protocol: 'HTTP/1.1',
      },
    });
    expect(entry?.labels?.['instanceId']).toMatch(/^[0-9a-f]{128}$/);
    expect(entry?.httpRequest?.responseSize).toBeGreaterThan(100);
    expect(entry?.httpRequest?.latencySeconds).toBeGreaterThan(0);
  });

  test.each([
    [{ 'x-cloud-trace-context': `${'a'.repeat(32)}/17;o=1` }, 'a'.repeat(32), '0000000000000011'],
    [{ traceparent: `00-${'b'.repeat(32)}-${'c'.repeat(16)}-01` }, 'b'.repeat(32), 'c'.repeat(16)],
  ])('keeps an incoming trace: %o', (headers, traceId, spanId) => {
    const { trace, added } = traceRequest(headers);
    expect(trace).toEqual({ traceId, spanId });
    expect(Object.keys(added)).toHaveLength(1);
    expect(Object.values(added)[0]).toContain(traceId);
  });

  test('begins a trace of its own when the incoming one is none', () => {
    const { trace } = traceRequest({ traceparent: 'x'.repeat(10_000) });
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  test('passes large bodies both ways', async () => {
    const revision = await deployed(
      `require('node:http').createServer((req, res) => req.pipe(res)).listen(process.env.PORT)`,
    );
    const { uri } = await router.apply(route(all(revision)));
    const body = 'x'.repeat(8 * 1024 * 1024);
    expect(await (await fetch(uri, { method: 'POST', body })).text()).toBe(body);
  });

  test('a private service wants a token for its URL', async () => {
    const revision = await deployed(server());
    const tags = [{ tag: 'next', revision }];
    const { uri, tagUris } = await router.apply(route(all(revision), { public: false, tags }));
    const refused = await fetch(`${uri}/<b>`);
    expect(refused.status).toBe(403);
    const page = await refused.text();
    expect(page).toContain('Your client does not have permission to get URL');
    expect(page).not.toContain('<b>');
    expect(await lastRequest()).toMatchObject({ severity: 'WARNING', httpRequest: { status: 403 } });
    const mint = (audience = '') => `Bearer ${tokens.mint(audience, 'ci@demo.iam.gserviceaccount.com')}`;
    const status = async (url: string | undefined, authorization: string) =>
      (await fetch(url ?? '', { headers: { authorization } })).status;
    expect(await status(uri, mint(uri))).toBe(200);
    expect(await status(tagUris['next'], mint(uri))).toBe(200);
    expect(await status(tagUris['next'], mint(tagUris['next']))).toBe(200);
    expect(await refusedStatus(new WebSocket(uri))).toBe(403);

    const old = openTokens({ home, now: () => Date.now() - 2 * 3600 * 1000 });
    const expired = `Bearer ${old.mint(uri, 'ci@demo.iam.gserviceaccount.com')}`;
    const invalid = [mint('http://else'), expired, 'Bearer nonsense', 'Basic eDp5', `${mint(uri)}x`];
    expect(await Promise.all(invalid.map((token) => status(uri, token)))).toEqual(invalid.map(() => 401));
    const headers = { authorization: expired };
    expect((await fetch(uri, { headers })).headers.get('www-authenticate')).toContain('invalid_token');
    expect((await lastRequest(10))?.textPayload).toContain('The access token could not be verified.');
    expect(await refusedStatus(new WebSocket(uri, { headers }))).toBe(401);
  });

  test('a service with internal ingress is not found, by HTTP, WebSocket or with a token', async () => {
    const revision = await deployed(server());
    const { uri } = await router.apply(route(all(revision), { reachable: false, public: false }));
    const authorization = `Bearer ${tokens.mint(uri, 'ci@demo.iam.gserviceaccount.com')}`;
    const response = await fetch(uri, { headers: { authorization } });
    expect([response.status, await response.text()]).toEqual([
      404,
      expect.stringContaining('The requested URL was not found on this server.'),
    ]);
    expect(await refusedStatus(new WebSocket(uri))).toBe(404);
  });

  test('answers 404 when no revision is ready', async () => {
    const { uri } = await router.apply(route([]));
    const response = await fetch(uri);
    expect([response.status, await response.text()]).toEqual([
      404,
      expect.stringContaining('The requested URL was not found on this server.'),
    ]);
  });

  test('answers 503 when the instance does not start', async () => {
    const revision = nodeRevision(home, 'process.exit(3)');
    runtime.register(revision);
    const { uri } = await router.apply(route(all(revision.revision)));
    expect((await fetch(uri)).status).toBe(503);
    expect(await lastRequest()).toMatchObject({
      severity: 'ERROR',
      textPayload: 'The request failed because the instance failed the readiness check.',
    });
  });

  test('answers 429 when all instances are full', async () => {
    const revision = await deployed(`require('node:http').createServer(() => {}).listen(process.env.PORT)`, {
      concurrency: 1,
      maxInstances: 1,
      timeoutSeconds: 0.4,
    });
    const { uri } = await router.apply(route(all(revision)));
    const statuses = await Promise.all([fetch(uri), fetch(uri)].map(async (answer) => (await answer).status));
    expect(statuses.sort()).toEqual([429, 504]);
  });

  test('answers 503 when the instance dies over a request, and starts another for the next', async () => {
    const revision = await deployed(server());
    const { uri } = await router.apply(route(all(revision)));
    expect((await fetch(`${uri}/exit`)).status).toBe(503);
    expect(await (await fetch(uri)).text()).toBe('ok');
    expect((await logs.seen('requests', () => true, 2))[0]).toMatchObject({
      severity: 'ERROR',
      textPayload: expect.stringContaining(
        'the HTTP response was malformed or connection to the instance had an error',
      ),
      resource: { labels: { revision_name: revision } },
    });
    await logs.seen('varlog/system', text('Container called exit(3).'));
  });

  test('breaks off when the instance dies within its answer', async () => {
    const revision = await deployed(
      `require('node:http').createServer((q, r) => { r.write('half'); setTimeout(() => process.exit(1), 50); }).listen(process.env.PORT)`,
    );
    const { uri } = await router.apply(route(all(revision)));
    const response = await fetch(uri);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(await lastRequest()).toMatchObject({
      severity: 'ERROR',
      textPayload: expect.stringContaining('Truncated response body.'),
    });
  });

  test('answers 504 at the timeout of the revision and frees the place', async () => {
    const revision = await deployed(
      `require('node:http').createServer((q, r) => { if (q.url === '/') r.end('ok'); }).listen(process.env.PORT)`,
      { timeoutSeconds: 0.2, concurrency: 1, maxInstances: 1 },
    );
    const { uri } = await router.apply(route(all(revision)));
    const response = await fetch(`${uri}/hang`);
    expect([response.status, await response.text()]).toEqual([504, 'upstream request timeout']);
    expect((await lastRequest())?.httpRequest?.status).toBe(504);
    expect((await fetch(uri)).status).toBe(200);
  });

  test('a client that leaves is logged with 499 and frees the place', async () => {
    const revision = await deployed(
      `require('node:http').createServer((q, r) => { if (q.url === '/') r.end('ok'); }).listen(process.env.PORT)`,
      { concurrency: 1, maxInstances: 1 },
    );
    const { uri } = await router.apply(route(all(revision)));
    await expect(fetch(`${uri}/hang`, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
    expect((await lastRequest())?.httpRequest?.status).toBe(499);
    expect((await fetch(uri)).status).toBe(200);
  });
});

describe('session affinity', () => {
  const cookieOf = (response: Response) => response.headers.getSetCookie().at(-1) ?? '';

  test('keeps a client at its instance and revision, while others go where there is room', async () => {
    const code = `require('node:http').createServer((q, r) => {
      r.setHeader('set-cookie', 'own=1');
      if (q.url === '/hold') console.log('holds');
      else setTimeout(() => r.end(process.env.PORT), q.url === '/wait' ? 200 : 0);
    }).listen(process.env.PORT)`;
    const change = { sessionAffinity: true, concurrency: 2 };
    const [a, b] = await Promise.all([deployed(code, change), deployed(code, change)]);
    const half = [
      { revision: a, percent: 50 },
      { revision: b, percent: 50 },
    ];
    const { uri } = await router.apply(route(half));
    // Fills the first instance of each, so that there are others.
    await Promise.all(Array.from({ length: 12 }, () => fetch(`${uri}/wait`).then((answer) => answer.text())));

    const first = await fetch(uri);
    expect(first.headers.getSetCookie()).toEqual([
      'own=1',
      expect.stringMatching(/^GAESA=[\w-]+; expires=.* GMT; path=\/$/),
    ]);
    const [cookie = ''] = cookieOf(first).split(';');
    const port = await first.text();
    for (let asked = 0; asked < 10; asked++) {
      const again = await fetch(uri, { headers: { cookie: `x=1; ${cookie}` } });
      expect([await again.text(), again.headers.getSetCookie()]).toEqual([port, ['own=1']]);
    }
    // Overloaded, the session is broken and begins anew elsewhere.
    const leave = new AbortController();
    const hold = () =>
      fetch(`${uri}/hold`, { headers: { cookie }, signal: leave.signal }).catch(() => 'left');
    const held = [hold(), hold()];
    await logs.seen('stdout', text('holds'), 2);
    const moved = await fetch(uri, { headers: { cookie } });
    expect(cookieOf(moved)).toContain('GAESA=');
    expect(await moved.text()).not.toBe(port);
    leave.abort();
    await Promise.all(held);
  });

  test('reads no cookie but its own', () => {
    const session = { revision: 'chat-00001-abc', instance: 'f'.repeat(128) };
    const [cookie = ''] = sessionCookie(session, new Date()).split(';');
    expect(readSession(`a=b; ${cookie}; c=d`)).toEqual(session);
    for (const other of [
      undefined,
      '',
      'GAESA=',
      'GAESA=x',
      `X${cookie}`,
      'GAESA=W10',
      `GAESA=${'A'.repeat(9999)}`,
    ])
      expect(readSession(other)).toBeUndefined();
  });
});

describe('websocket', () => {
  test('echoes, passes close code and reason, and logs 101 at its end', async () => {
    const revision = await deployed(
      webSocketServer(
        "socket.on('message', (data) => { socket.send(String(data)); socket.close(1011, 'agent failed'); })",
      ),
    );
    const { uri } = await router.apply(route(all(revision)));
    const socket = new WebSocket(`${uri}/ws`);
    await once(socket, 'open');
    expect(logs.of('requests')).toEqual([]);
    socket.send('hello');
    const [message] = await once(socket, 'message');
    const [code, reason] = await once(socket, 'close');
    expect([String(message), code, String(reason)]).toEqual(['hello', 1011, 'agent failed']);
    expect(await lastRequest()).toMatchObject({
      severity: 'INFO',
      httpRequest: { status: 101, requestUrl: `${uri}/ws` },
      resource: { labels: { revision_name: revision } },
    });
  });

  test("passes the instance's own refusal", async () => {
    const code = `const server = require('node:http').createServer();
      server.on('upgrade', (q, s) => s.end('HTTP/1.1 403 Forbidden\\r\\ncontent-length: 2\\r\\n\\r\\nno')).listen(process.env.PORT)`;
    const { uri } = await router.apply(route(all(await deployed(code))));
    expect(await refusedStatus(new WebSocket(uri))).toBe(403);
    expect((await lastRequest())?.httpRequest?.status).toBe(403);
  });

  test('is answered with 503 when the instance breaks the handshake', async () => {
    const code = `const server = require('node:http').createServer();
      server.on('upgrade', (q, s) => s.destroy()).listen(process.env.PORT)`;
    const { uri } = await router.apply(route(all(await deployed(code))));
    expect(await refusedStatus(new WebSocket(uri))).toBe(503);
    expect((await lastRequest())?.httpRequest?.status).toBe(503);
  });

  test('ends at the timeout of the revision', async () => {
    const revision = await deployed(webSocketServer(''), { timeoutSeconds: 0.3 });
    const { uri } = await router.apply(route(all(revision)));
    const socket = new WebSocket(uri);
    await once(socket, 'open');
    const [code] = await once(socket, 'close');
    expect(code).toBe(1006);
    expect((await lastRequest())?.httpRequest?.status).toBe(101);
  });

  test('ends when the instance dies', async () => {
    const revision = await deployed(webSocketServer("socket.on('message', () => process.exit(1))"));
    const { uri } = await router.apply(route(all(revision)));
    const socket = new WebSocket(uri);
    await once(socket, 'open');
    socket.send('die');
    expect((await once(socket, 'close'))[0]).toBe(1006);
  });
});

describe('routes', () => {
  test('a change keeps URLs, and running requests and sockets on their revision', async () => {
    const slow = `require('node:http').createServer((q, r) => { r.write('old '); setTimeout(() => r.end('end'), 300); }).listen(process.env.PORT)`;
    const old = await deployed(slow);
    const oldSockets = await deployed(webSocketServer("socket.on('message', () => socket.send('old'))"));
    const next = await deployed(server("'next'"));
    const tags = [{ tag: 'ws', revision: oldSockets }];
    const before = await router.apply(route(all(old), { tags }));
    const running = await fetch(before.uri);
    const socket = new WebSocket(before.tagUris['ws'] ?? '');
    await once(socket, 'open');

    const after = await router.apply(route(all(next), { tags: [{ tag: 'next', revision: next }] }));
    expect(after.uri).toBe(before.uri);
    expect(Object.keys(after.tagUris)).toEqual(['next']);
    expect(await (await fetch(after.uri)).text()).toBe('next');
    expect(await running.text()).toBe('old end');
    socket.send('still there?');
    expect(String((await once(socket, 'message'))[0])).toBe('old');
    await expect(fetch(before.tagUris['ws'] ?? '')).rejects.toThrow();
    socket.close();
  });

  test('ports outlive a restart, and a taken one is replaced', async () => {
    const revision = await deployed(server());
    const tags = [{ tag: 'next', revision }];
    const first = await router.apply(route(all(revision), { tags }));
    await router.stop();
    const blocker = http
      .createServer()
      .listen(Number(new URL(first.tagUris['next'] ?? '').port), '127.0.0.1');
    await once(blocker, 'listening');
    router = openRouter({ logs, runtime, tokens, ports: remember(ports) });
    const second = await router.apply(route(all(revision), { tags }));
    blocker.close();
    expect(second.uri).toBe(first.uri);
    expect(second.tagUris['next']).not.toBe(first.tagUris['next']);
    expect(await (await fetch(second.tagUris['next'] ?? '')).text()).toBe('ok');
    expect(ports.get('demo/europe-west1/chat#next')).toBe(Number(new URL(second.tagUris['next'] ?? '').port));
  });

  test('applied at once, the same service gets one URL; a removed one none', async () => {
    const revision = await deployed(server());
    const [a, b] = await Promise.all([
      router.apply(route(all(revision))),
      router.apply(route(all(revision))),
    ]);
    expect(a.uri).toBe(b.uri);
    await router.remove({ project: 'demo', location: 'europe-west1', service: 'chat' });
    await expect(fetch(a.uri)).rejects.toThrow();
    expect(ports.size).toBe(0);
  });
});
