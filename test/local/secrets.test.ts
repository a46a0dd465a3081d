import { statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { chat, connect, create, read, serviceMessage, startCloud, tempHome } from './harness.ts';

const value = 'hunter2-of-the-test';
const project = '/v1/projects/demo/secrets';
const automatic = { replication: { automatic: {} } };
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Secret Manager over REST, as any client that is told its address has it. */
async function secretManager(home = tempHome()) {
  const { port } = await startCloud({ home });
  const call = async (method: string, url: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${port}${url}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) };
  };
  const add = (secret: string, text: string) =>
    call('POST', `${project}/${secret}:addVersion`, { payload: { data: base64(text) } });
  const made = async (secret: string, ...values: string[]) => {
    await call('POST', `${project}?secretId=${secret}`, automatic);
    for (const each of values) await add(secret, each);
  };
  return { home, port, call, add, made };
}

describe('Secret Manager', () => {
  test('keeps versions, and their values in a file that only the user can read', async () => {
    const { home, call, add } = await secretManager();
    const labels = { team: 'chat' };
    const created = await call('POST', `${project}?secretId=api-key`, { ...automatic, labels });
    expect(created.body).toMatchObject({ name: 'projects/demo/secrets/api-key', labels, ...automatic });
    expect((await add('api-key', value)).body).toMatchObject({
      name: 'projects/demo/secrets/api-key/versions/1',
      state: 'ENABLED',
    });
    await add('api-key', '123456789');
    const accessed = await call('GET', `${project}/api-key/versions/latest:access`);
    // The check value of CRC-32C itself.
    expect(accessed.body).toEqual({
      name: 'projects/demo/secrets/api-key/versions/2',
      payload: { data: base64('123456789'), dataCrc32c: '3808858755' },
    });
    const { versions } = (await call('GET', `${project}/api-key/versions`)).body;
    expect(versions.map((each: { name: string }) => each.name.slice(-1))).toEqual(['2', '1']);
    expect((await call('GET', `${project}?pageSize=1`)).body).toMatchObject({ totalSize: 1 });
    expect(statSync(path.join(home, 'state.journal')).mode & 0o777).toBe(0o600);
  });

  test('lets nobody read a version that is disabled or destroyed, whatever it is called', async () => {
    const { call, made } = await secretManager();
    await made('api-key', 'first', value);
    const access = (version: string) => call('GET', `${project}/api-key/versions/${version}:access`);
    await call('POST', `${project}/api-key/versions/2:disable`, {});
    expect(await access('latest')).toMatchObject({
      status: 400,
      body: {
        error: {
          status: 'FAILED_PRECONDITION',
          message: 'Secret Version [projects/demo/secrets/api-key/versions/2] is in DISABLED state.',
        },
      },
    });
    await call('POST', `${project}/api-key/versions/2:enable`, {});
    expect((await access('latest')).status).toBe(200);
    const aliases = { versionAliases: { live: '1' } };
    await call('PATCH', `${project}/api-key?updateMask=versionAliases`, aliases);
    expect((await access('live')).body.payload.data).toBe(base64('first'));
    const destroyed = await call('POST', `${project}/api-key/versions/2:destroy`, {});
    expect(destroyed.body).toMatchObject({ state: 'DESTROYED', destroyTime: expect.any(String) });
    expect((await call('POST', `${project}/api-key/versions/2:enable`, {})).body.error.message).toBe(
      'SecretVersion.state is already DESTROYED.',
    );
  });

  test('takes bytes in either alphabet of base64', async () => {
    const { call, made } = await secretManager();
    await made('bytes');
    for (const data of ['-__-_w==', '+//+/w', '+//+/w==']) {
      await call('POST', `${project}/bytes:addVersion`, { payload: { data } });
      const accessed = await call('GET', `${project}/bytes/versions/latest:access`);
      expect(accessed.body.payload.data).toBe('+//+/w==');
    }
  });

  test('says what is wrong in Google’s words, and never with a value', async () => {
    const { call, made } = await secretManager();
    await made('api-key');
    const wrong: [string, string, object | undefined, number, string][] = [
      ['GET', '/none', undefined, 404, 'Secret [projects/demo/secrets/none] not found.'],
      [
        'GET',
        '/none/versions/latest:access',
        undefined,
        404,
        'Secret [projects/demo/secrets/none] not found or has no versions.',
      ],
      [
        'GET',
        '/api-key/versions/7',
        undefined,
        404,
        'Secret Version [projects/demo/secrets/api-key/versions/7] not found.',
      ],
      ['POST', '?secretId=api-key', automatic, 409, 'Secret [projects/demo/secrets/api-key] already exists.'],
      [
        'POST',
        '?secretId=a.b',
        automatic,
        400,
        'The provided Secret ID [a.b] does not match the expected format',
      ],
      ['POST', '?secretId=b', {}, 400, 'Field [replication] is required.'],
      ['POST', '?secretId=b', { ...automatic, ttl: '60s' }, 400, 'ttl'],
      ['POST', '/api-key:addVersion', { payload: { data: base64('x'.repeat(65_537)) } }, 400, '65536'],
      [
        'POST',
        '/api-key:addVersion',
        { payload: { data: base64(value), dataCrc32c: '1' } },
        400,
        'data_crc32c',
      ],
      ['POST', '/api-key:addVersion', { payload: { data: `${value}!` } }, 400, 'payload.data'],
      ['POST', '/api-key/versions/latest:destroy', {}, 400, 'number'],
      ['DELETE', '/api-key?etag=%22old%22', undefined, 409, 'etag'],
      ['PATCH', '/api-key?updateMask=ttl', {}, 400, 'ttl'],
      ['POST', '/api-key:setIamPolicy', {}, 501, 'setIamPolicy'],
      ['GET', '?filter=name:x', undefined, 501, 'filter'],
    ];
    for (const [method, url, body, status, message] of wrong) {
      const answer = await call(method, `${project}${url}`, body);
      expect([url, answer.status, answer.body.error.message]).toEqual([
        url,
        status,
        expect.stringContaining(message),
      ]);
      expect(answer.text).not.toContain(value);
    }
    expect((await call('DELETE', `${project}/api-key`)).status).toBe(200);
  });
});

const withSecrets = (secret: string, version?: string) =>
  serviceMessage({
    template: {
      ...serviceMessage({}, 'images/shows:1').template,
      containers: [
        {
          image: 'images/shows:1',
          env: [
            { name: 'API_KEY', valueSource: { secretKeyRef: { secret, ...(version && { version }) } } },
            { name: 'KEY_FILE', value: '/sluice-test/key' },
          ],
          volumeMounts: [{ name: 'keys', mountPath: '/sluice-test' }],
        },
      ],
      volumes: [{ name: 'keys', secret: { secret, items: [{ path: 'key', version: version ?? 'latest' }] } }],
    },
    invokerIamDisabled: true,
  });

test('a service has its secrets as variables and as files', async () => {
  const { port, made } = await secretManager();
  await made('api-key', 'first', value);
  const clients = connect(port);
  const created = await create(clients, withSecrets('projects/demo/secrets/api-key'));
  expect(await (await fetch(`${created.uri}/env`)).json()).toMatchObject({ API_KEY: value });
  expect(await (await fetch(`${created.uri}/file`)).text()).toBe(value);
});

test.each([
  ['none', undefined, 'Secret projects/demo/secrets/none/versions/latest was not found'],
  ['api-key', '7', 'Secret projects/demo/secrets/api-key/versions/7 was not found'],
  ['api-key', '1', 'Secret Version [projects/demo/secrets/api-key/versions/1] is in DISABLED state.'],
])(
  'a revision that asks for %s version %s is not ready, for Google’s reason',
  async (secret, version, why) => {
    const { port, call, made } = await secretManager();
    await made('api-key', 'first');
    await call('POST', `${project}/api-key/versions/1:disable`, {});
    const clients = connect(port);
    const failed: unknown = await create(clients, withSecrets(secret, version)).catch(
      (error: unknown) => error,
    );
    const place = 'spec.template.spec.containers[0].env[0].value_from.secret_key_ref.name';
    expect(String(failed)).toContain(`is not ready and cannot serve traffic. ${place}: ${why}`);
    const service = await read(clients, chat);
    expect(service.terminalCondition).toMatchObject({ reason: 'SECRETS_ACCESS_CHECK_FAILED' });
    const [revisions] = await clients.revisions.listRevisions({ parent: chat });
    const ready = revisions[0]?.conditions?.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({
      reason: 'SECRETS_ACCESS_CHECK_FAILED',
      message: expect.stringContaining(`spec.template.spec.volumes[0].secret.items[0]: ${why}`),
    });
  },
);
