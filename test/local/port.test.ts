import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startCloud, tempHome } from './harness.ts';

describe('a web page', () => {
  test.for([
    ['of another origin', { origin: 'http://page.example' }],
    ['under a name of its own', { host: 'page.example' }],
    ['of a service here', { origin: 'http://127.0.0.1:27000' }],
  ] as const)('%s reaches nothing', async ([, headers]) => {
    const { port } = await startCloud({ home: tempHome() });
    const ask = (method: string, path: string, body = '') =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { host: '127.0.0.1', port, method, path };
        http
          .request({ ...options, headers: { 'content-type': 'text/plain', ...headers } }, (response) => {
            response.resume();
            resolve(response.statusCode);
          })
          .once('error', reject)
          .end(body);
      });
    expect(await ask('POST', '/storage/v1/b?project=demo', '{"name":"pages"}')).toBe(403);
    expect(await ask('POST', '/v1/projects/-/serviceAccounts/a@b:generateIdToken', '{"audience":"x"}')).toBe(
      403,
    );
    expect(await ask('POST', '/local/stop')).toBe(403);
    expect(await ask('GET', '/healthz')).toBe(403);
    const buckets = await fetch(`http://127.0.0.1:${port}/storage/v1/b?project=demo`);
    expect(await buckets.json()).toMatchObject({ items: [] });
  });
});

test.for(['/v1/projects/-/serviceAccounts/%zz:generateIdToken', '//'])(
  'the path %s is no fault of the server',
  async (path) => {
    const { port } = await startCloud({ home: tempHome() });
    const socket = net.connect(port, '127.0.0.1');
    socket.end(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 40[04] /);
  },
);

test('a connection that begins with a part of the HTTP/2 preface holds nobody up', async () => {
  const { port } = await startCloud({ home: tempHome() });
  const socket = net.connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.setNoDelay(true).write('P');
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  socket.end('UT /nothing HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1.1 404 /);
});
