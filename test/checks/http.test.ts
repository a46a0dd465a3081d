import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { runChecks } from '../../src/checks/run.ts';
import type { HttpCheck } from '../../src/config/check-spec.ts';
import { Secret } from '../../src/secret.ts';
import { contextFor, httpCheck, serve } from './given.ts';

const health = {
  status: 'ok',
  components: { db: { status: 'degraded' }, cache: 'ok' },
  replicas: [{ up: true }],
};

async function check(url: string, spec: Partial<HttpCheck>, more: Parameters<typeof contextFor>[1] = {}) {
  const [result] = await runChecks([httpCheck(spec)], contextFor(url, more), () => {});
  if (!result) throw new Error('the check is of this stage');
  return result;
}

const expecting = (expect: Partial<HttpCheck['expect']>): Partial<HttpCheck> => ({
  expect: { status: [200], json: {}, headers: {}, ...expect },
});

test.each([
  ['a status', {}, 'passed', 'GET /health answered 200 as expected'],
  ['one of several statuses', { status: [204, 200] }, 'passed', '200'],
  ['another status', { status: [204, 301] }, 'failed', 'expected status 204 or 301, found 200'],
  ['a JSON value', { json: { status: 'ok', 'replicas.0.up': true } }, 'passed', 'as expected'],
  [
    'another JSON value',
    { json: { 'components.db.status': 'healthy' } },
    'failed',
    'expected components.db.status to be "healthy", found "degraded"',
  ],
  [
    'a JSON path that is missing',
    { json: { 'components.queue.status': null } },
    'failed',
    'expected components.queue.status to be null, but components has no "queue" (found db, cache)',
  ],
  ['a value that is an object', { json: { 'components.db': true } }, 'failed', 'found {"status":"degraded"}'],
  ['a header', { headers: { 'content-type': 'json' } }, 'passed', 'as expected'],
  [
    'a header of other content',
    { headers: { 'content-type': 'html' } },
    'failed',
    'expected header content-type to contain "html", found "application/json"',
  ],
  ['a missing header', { headers: { 'x-build': '7' } }, 'failed', 'x-build to contain "7", it is missing'],
] as const)('%s', async (_, expected, status, reason) => {
  const url = await serve((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(health));
  });
  const result = await check(url, expecting({ ...expected } as Partial<HttpCheck['expect']>)); // readonly tables
  expect(result).toMatchObject({ id: 'health', kind: 'http', stage: 'candidate', required: true, status });
  expect(result.reason).toContain(reason);
});

test('HTML where JSON is expected is quoted, without its escape sequences', async () => {
  const url = await serve((_, response) => response.end('<h1>\x1b[31mSign in\n</h1>'));
  const result = await check(url, expecting({ json: { status: 'ok' } }));
  expect(result).toMatchObject({
    status: 'failed',
    reason: 'GET /health: expected JSON, found "<h1>Sign in </h1>"',
  });
});

test('a redirect is an answer, not followed', async () => {
  const url = await serve((_, response) => response.writeHead(302, { location: 'http://192.0.2.1/' }).end());
  expect((await check(url, {})).reason).toContain('expected status 200, found 302');
  expect(await check(url, expecting({ status: [302], headers: { location: '192.0.2.1' } }))).toMatchObject({
    status: 'passed',
  });
});

test('a failure counts only after its attempts', async () => {
  let requests = 0;
  const url = await serve((_, response) => {
    requests += 1;
    response.writeHead(requests < 3 ? 503 : 200).end();
  });
  expect(await check(url, { attempts: 3 })).toMatchObject({ status: 'passed' });
  expect(requests).toBe(3);
  requests = 0;
  expect((await check(url, { attempts: 2 })).reason).toBe(
    'GET /health: expected status 200, found 503 (2 attempts)',
  );
});

test('nobody listening fails in plain words', async () => {
  const url = await serve(() => {});
  const { port } = new URL(url);
  const gone = await check(`http://127.0.0.2:${port}`, {});
  expect(gone).toMatchObject({
    status: 'failed',
    reason: `GET /health: no answer from 127.0.0.2:${port}: nothing listens there (connection refused)`,
  });
});

test('a connection that is closed without an answer fails in plain words', async () => {
  const url = await serve((request) => request.socket.destroy());
  expect((await check(url, {})).reason).toMatch(/the connection was (closed|reset) before an answer/);
});

test('an answer that never comes, or never ends, fails at the deadline', async () => {
  const silent = await serve(() => {});
  const endless = await serve((_, response) => {
    response.write('{');
  });
  for (const url of [silent, endless])
    expect(await check(url, { timeoutSeconds: 0.2 })).toMatchObject({
      status: 'failed',
      reason: "GET /health: no complete answer within the check's 0.2 s",
    });
});

test('an endless body is cut, and is no JSON', async () => {
  const url = await serve((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(64 * 1024)));
    };
    response.on('drain', more);
    more();
  });
  expect(await check(url, {})).toMatchObject({ status: 'passed' });
  expect((await check(url, expecting({ json: { a: 1 } }))).reason).toContain('a body over 1 MiB');
});

test('latency is measured over all samples, with its figures', async () => {
  let requests = 0;
  const url = await serve((_, response) => {
    requests += 1;
    response.end('ok');
  });
  const generous = { percentile: 90, ms: 60_000, samples: 20 };
  const result = await check(url, expecting({ latency: generous }));
  expect(result.status).toBe('passed');
  expect(Object.keys(result.figures ?? {}).toSorted()).toEqual([
    'maxMs',
    'p50Ms',
    'p90Ms',
    'p95Ms',
    'samples',
  ]);
  expect(requests).toBe(21);
  const impossible = await check(url, expecting({ latency: { percentile: 50, ms: 0, samples: 3 } }));
  expect(impossible.reason).toMatch(/expected p50 ≤ 0 ms, found [\d.]+ ms over 3 samples/);
});

test('a quick failure among the samples is no good latency', async () => {
  let requests = 0;
  const url = await serve((_, response) => {
    requests += 1;
    response.writeHead(requests === 4 ? 500 : 200).end();
  });
  const result = await check(url, expecting({ latency: { percentile: 50, ms: 60_000, samples: 10 } }));
  expect(result).toMatchObject({
    status: 'failed',
    reason: 'GET /health, sample 3 of 10: expected status 200, found 500',
  });
});

test('sends its own headers over the e2e ones, the body and the ID token; none of it is shown', async () => {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const url = await serve(async (request, response) => {
    const body = (await request.toArray()).join('');
    seen.push({ request, body });
    response.writeHead(401).end();
  });
  const idToken = async () => new Secret('token-1234');
  const result = await check(
    url,
    { method: 'POST', body: '{"a":1}', headers: { 'x-two': 'check' } },
    { headers: { 'x-one': 'e2e-secret', 'x-two': 'e2e' }, idToken },
  );
  expect(seen[0]?.body).toBe('{"a":1}');
  expect(seen[0]?.request.headers).toMatchObject({
    'x-one': 'e2e-secret',
    'x-two': 'check',
    authorization: 'Bearer token-1234',
  });
  expect(JSON.stringify(result)).not.toMatch(/e2e-secret|token-1234/);

  await check(url, { headers: { authorization: 'Basic own' } }, { idToken });
  expect(seen[1]?.request.headers).toMatchObject({
    authorization: 'Basic own',
    'x-serverless-authorization': 'Bearer token-1234',
  });
});

test('a header that HTTP does not allow is named without its value', async () => {
  const result = await check('http://127.0.0.1:1', {}, { headers: { 'x-key': 'se\ncret' } });
  expect(result.status).toBe('inconclusive');
  expect(result.reason).toContain('the header x-key');
  expect(result.reason).not.toContain('cret');
});

test.each(['//192.0.2.1/x', 'http://192.0.2.1/', '\\\\192.0.2.1/x'])(
  'the path %s may not leave the service',
  async (path) => {
    const result = await check('http://127.0.0.1:1', { path });
    expect(result).toMatchObject({ status: 'failed', reason: expect.stringContaining('leads away') });
  },
);
