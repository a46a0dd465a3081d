import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { LoggingServiceV2Client } from '@google-cloud/logging-api';
import { Server, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { listen } from '../../src/local/port.ts';
import { type LocalCloud, startLocalCloud } from '../../src/local/server.ts';
import { openTunnel } from '../../src/local/web/tunnel.ts';
import { clientOptions, tempHome } from './harness.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-hostile-'));
let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startLocalCloud({ home: path.join(folder, 'home') });
});
afterAll(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

const megabyte = 1024 * 1024;
const secrets = '/v1/projects/demo/secrets';
const write = '/v2/entries:write';
const json = { 'content-type': 'application/json' };

/** Sends bytes as they are, and reads to the end of the connection. */
async function raw(...parts: (string | Buffer)[]): Promise<string> {
  const socket = net.connect(cloud.port, '127.0.0.1');
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  return text(socket).catch(() => '');
}

const head = (line: string, ...headers: string[]) =>
  `${[`${line} HTTP/1.1`, ...headers, 'connection: close'].join('\r\n')}\r\n\r\n`;
const host = 'host: 127.0.0.1';
const replication = '{"replication":{"automatic":{}}}';

/** A POST, with its status and what it says. */
async function post(url: string, body: string | Uint8Array, headers: Record<string, string> = json) {
  const response = await fetch(`http://127.0.0.1:${cloud.port}${url}`, { method: 'POST', body, headers });
  return [response.status, await response.text()] as const;
}

async function names(): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${cloud.port}${secrets}`);
  const { secrets: list = [] } = (await response.json()) as { secrets?: { name: string }[] };
  return list.map(({ name }) => name);
}

describe('a web page', () => {
  const create = (id: string, ...headers: string[]) =>
    raw(
      head(`POST ${secrets}?secretId=${id}`, host, `content-length: ${replication.length}`, ...headers),
      replication,
    );

  test('writes nothing, by whatever it may send without asking; and asking is not answered', async () => {
    const tries: [string, string[]][] = [
      ['403', ['origin: http://page.example', 'content-type: application/json']],
      ['403', ['origin: null', 'content-type: application/json']],
      ['403', ['sec-fetch-site: cross-site', 'cookie: session=1']],
      ['403', ['sec-fetch-site: same-site', 'sec-fetch-dest: document']],
      ['415', ['content-type: text/plain']],
      ['415', ['content-type: application/x-www-form-urlencoded']],
      ['415', ['content-type: multipart/form-data; boundary=x']],
    ];
    for (const [code, headers] of tries)
      expect(await create('page', ...headers)).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
    const bucket = raw(
      head('POST /storage/v1/b?project=demo', host, 'content-type: text/plain', 'content-length: 16'),
      '{"name":"pages"}',
    );
    expect(await bucket).toMatch(/^HTTP\/1.1 415 /);
    expect(await names()).toEqual([]);
    const preflight = await raw(
      head(`OPTIONS ${secrets}`, host, 'origin: http://page.example', 'access-control-request-method: POST'),
    );
    expect(preflight).toMatch(/^HTTP\/1.1 403 /);
    expect(preflight).not.toMatch(/access-control-/i);
    const linked = head(`GET ${secrets}`, host, 'sec-fetch-site: cross-site', 'sec-fetch-dest: document');
    expect(await raw(linked)).toMatch(/^HTTP\/1.1 200 /);
  });

  test.for([
    ['a foreign Host', head(`GET ${secrets}`, 'host: page.example')],
    ['a foreign absolute URL', head('GET http://page.example/', 'host: page.example')],
    ['a foreign one behind our Host', head('GET http://page.example/', host)],
    ['credentials before a foreign host', head('GET http://127.0.0.1@page.example/', host)],
    ['another scheme', head('GET ftp://127.0.0.1/', host)],
    ['a tunnel', head('CONNECT page.example:443', 'host: page.example:443')],
    ['a tunnel home', head('CONNECT 127.0.0.1:22', 'host: 127.0.0.1:22')],
  ] as const)('%s leads nowhere', async ([, request]) => {
    expect(await raw(request)).toMatch(/^HTTP\/1.1 403 /);
  });
});

describe('half a request', () => {
  test('is let go, however slowly it drips', async () => {
    const limits = { headersTimeout: 150, requestTimeout: 300, connectionsCheckingInterval: 20 };
    const port = await listen({
      grpc: new Server(),
      http: (request, response) => request.resume().on('end', () => response.end()),
      connect: () => {},
      limits,
    });
    onTestFinished(() => port.stop());
    const dripping = async (start: string) => {
      const socket = net.connect(port.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(start);
      const drip = setInterval(() => socket.write('a'), 20);
      // The answer may be lost to a drop that comes after it; that the connection ends is what counts.
      return (
        await text(socket)
          .catch(() => '')
          .finally(() => clearInterval(drip))
      ).split('\r\n')[0];
    };
    const answers = await Promise.all([
      dripping('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-'),
      dripping('POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100000\r\n\r\n'),
    ]);
    for (const answer of answers) expect(answer).toMatch(/^(HTTP\/1.1 408 |$)/);
  });

  test('is let go in a tunnel too, whose handshake may come with the CONNECT', async () => {
    const home = tempHome();
    mkdirSync(home);
    const limits = { headersTimeout: 150, connectionsCheckingInterval: 20, handshakeTimeout: 300 };
    const tunnel = openTunnel({ home, storage: async () => false, limits });
    const port = await listen({ grpc: new Server(), http: () => {}, connect: tunnel.connect });
    onTestFinished(async () => {
      await port.stop();
      tunnel.close();
    });
    const open = head('CONNECT storage.googleapis.com:443', 'host: storage.googleapis.com');
    const begin = (hello: Buffer) => {
      const socket = net.connect(port.port, '127.0.0.1').on('error', () => undefined);
      socket.write(Buffer.concat([Buffer.from(open), hello]));
      return socket;
    };

    const drop = begin(Buffer.from('1603014000', 'hex'));
    const drip = setInterval(() => drop.write('a'), 20);
    const answer = await text(drop).finally(() => clearInterval(drip));
    expect(answer).toBe('HTTP/1.1 200 Connection Established\r\n\r\n');

    const [mine, theirs] = duplexPair();
    const ca = readFileSync(path.join(home, 'storage-certificate.pem'));
    const secure = connectTls({ socket: theirs, servername: 'storage.googleapis.com', ca });
    secure.write('GET /bucket/object HTTP/1.1\r\nx-');
    const [hello] = await once(mine, 'data');
    const socket = begin(hello);
    const [opened] = await once(socket, 'data');
    mine.write(opened.subarray(opened.indexOf('\r\n\r\n') + 4));
    mine.pipe(socket).pipe(mine);
    expect(await text(secure)).toMatch(/^HTTP\/1.1 408 /);
  });

  test('holds nobody else up, and neither do a thousand headers or a flood of them', async () => {
    const open = Array.from({ length: 50 }, () => net.connect(cloud.port, '127.0.0.1'));
    onTestFinished(() => open.forEach((socket) => void socket.destroy()));
    for (const socket of open) socket.on('error', () => undefined).write(`POST ${secrets} HTTP/1.1\r\nhost:`);
    expect(await names()).toEqual([]);
    const flood = Array.from({ length: 4000 }, (_, index) => `x-${index}: ${'y'.repeat(20)}`);
    // Or nothing, when the rest of the flood overtakes the answer.
    expect(await raw(head(`GET ${secrets}`, host, ...flood))).toMatch(/^(HTTP\/1.1 431 |$)/);
  });
});

describe('too much', () => {
  test.for(['content-length', 'chunked'])(
    '200 MB with %s are refused early and kept nowhere',
    async (way) => {
      const before = process.memoryUsage().rss;
      let sent = 0;
      const answer = await new Promise<number | string>((resolve) => {
        const request = http.request({
          ...{
            host: '127.0.0.1',
            port: cloud.port,
            method: 'POST',
            path: `${secrets}?secretId=big`,
            headers: json,
          },
        });
        if (way === 'content-length') request.setHeader('content-length', 200 * megabyte);
        request.on('response', (response) => resolve(response.resume().statusCode ?? 0));
        request.on('error', (error) => resolve(error.message));
        const chunk = Buffer.alloc(megabyte, ' ');
        const more = () => {
          while (sent < 200 * megabyte && !request.destroyed) {
            sent += chunk.length;
            if (!request.write(chunk)) return request.once('drain', more);
          }
          return request.end();
        };
        more();
      });
      // Whoever goes on sending may see the connection end before the answer.
      expect([413, 'write EPIPE', 'read ECONNRESET', 'write ECONNRESET']).toContain(answer);
      expect(sent).toBeLessThan(100 * megabyte);
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * megabyte);
      expect(await names()).toEqual([]);
    },
  );

  test('a gRPC message over the limit is refused; the connection goes on', async () => {
    const logging = new LoggingServiceV2Client(clientOptions(cloud.port));
    onTestFinished(() => logging.close());
    const entry = (size: number) => ({
      entries: [
        { logName: 'projects/demo/logs/a', resource: { type: 'global' }, textPayload: 'x'.repeat(size) },
      ],
    });
    await expect(logging.writeLogEntries(entry(17 * megabyte), { retry: null })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    await logging.writeLogEntries(entry(1));
  });
});

test('HTTP/2 garbage ends its own connection only', async () => {
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  await raw(preface, Buffer.alloc(1000, 0xff));
  await raw('PRI nonsense\r\n\r\n');
  await raw(preface, Buffer.from('000000040000000000', 'hex'), Buffer.alloc(50_000, 0x41));
  await raw('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
  expect(await names()).toEqual([]);
});

describe('a body', () => {
  const nested = (levels: number) => `${'{"labels":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const keys = `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join(',')}}`;
  const fields = `{${Array.from({ length: 10_000 }, (_, index) => `"k${index}":1`).join(',')}}`;
  test.for<[string, string | Uint8Array, RegExp]>([
    ['half', '{"replication":', /Invalid JSON payload/],
    ['no object', '[]', /expected record|expected object/],
    ['a bomb of depth', nested(100_000), /Message too deep/],
    ['a bomb of arrays', '['.repeat(100_000), /Message too deep/],
    ['a million keys', keys, /Too many values/],
    ['thousands of unknown fields', fields, /Unrecognized key|Unknown name/],
    ['no UTF-8', Buffer.from('7b226122 3a22fffe22 7d'.replaceAll(' ', ''), 'hex'), /not UTF-8/],
  ])('that is %s is refused by a short sentence', async ([, body, why]) => {
    for (const url of [`${secrets}?secretId=x`, write]) {
      const [code, said] = await post(url, body);
      expect([code, said]).toEqual([400, expect.stringMatching(why)]);
      expect(JSON.parse(said)).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } });
      expect(said.length).toBeLessThan(5000);
    }
    expect(await names()).toEqual([]);
  });

  test('of brackets in strings is none of depth; of a key that stands twice the last one counts', async () => {
    const [code] = await post(
      `${secrets}?secretId=dup`,
      `{"labels":{"a":"${'[{\\"'.repeat(200)}"},${replication.slice(1)}`,
    );
    expect(code).not.toBe(500);
    const twice = '{"labels":{"a":"1"},"labels":{"b":"2"},"replication":{"automatic":{}}}';
    const [, said] = await post(`${secrets}?secretId=twice`, twice);
    expect(JSON.parse(said)).toMatchObject({ labels: { b: '2' } });
  });
});

test('no name leads out of the folder, and none is a fault of the server', async () => {
  const out = '..%2F..%2F..%2Fout';
  const tries: [verb: string, url: string, body?: string][] = [
    ['GET', `/v2/projects/${out}/locations/r/services/s`],
    ['GET', '/v2/projects/%zz/locations/r/services'],
    ['GET', '/v2/projects/p/locations/r/services/%00'],
    [
      'POST',
      `/v2/projects/${out}/locations/r/services?serviceId=${out}`,
      '{"template":{"containers":[{"image":"x"}]}}',
    ],
    ['POST', `/v1/projects/${out}/secrets?secretId=${out}`, replication],
    ['POST', `/v1/projects/demo/secrets?secretId=${out}`, replication],
    ['POST', '/v1/projects/a%09b/secrets?secretId=x', replication],
    ['POST', '/v1/projects/a%0Ab/instances', '{"name":"x","databaseVersion":"POSTGRES_16"}'],
    ['POST', `/apis/serving.knative.dev/v1/namespaces/${out}/services`, '{"metadata":{"name":"../../x"}}'],
    ['POST', '/storage/v1/b?project=demo', '{"name":"../../out"}'],
    ['POST', `/v1/projects/${out}/builds`, '{"steps":[{"name":"../../x","dir":"../../../out"}]}'],
    ['POST', '/v1/projects/demo/instances', '{"name":"../../out","databaseVersion":"POSTGRES_16"}'],
    ['GET', `/v1/projects/demo/locations/r/operations/${out}`],
    ['GET', '/storage/v1/b/demo/o/..%2F..%2F..%2F..%2Fetc%2Fpasswd?alt=media'],
    ['GET', '/../../etc/passwd'],
    ['DELETE', `/local/faults/${out}`],
  ];
  for (const [verb, url, body] of tries) {
    const length =
      body === undefined ? [] : ['content-type: application/json', `content-length: ${body.length}`];
    const [line = ''] = (await raw(head(`${verb} ${url}`, host, ...length), body ?? '')).split('\r\n');
    expect([`${verb} ${url}`, line]).toEqual([`${verb} ${url}`, expect.stringMatching(/^HTTP\/1.1 4\d\d /)]);
  }
  expect(readdirSync(folder)).toEqual(['home']);
});
