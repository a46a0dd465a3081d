import { PassThroughClient } from 'google-auth-library';
import { expect, test } from 'vitest';
import { CloudError } from '../../src/cloud/ports/index.ts';
import { secretsAdapter } from '../../src/cloud/secrets.ts';
import { Waiting } from '../../src/cloud/waiting.ts';
import { serve } from '../checks/given.ts';
import { call } from './kit.ts';

const ref = { secret: 'e2e-jwt', version: 'latest' };
const value = 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln';
const path = '/v1/projects/demo/secrets/e2e-jwt/versions/latest:access';

type Reply = { status?: number; body: unknown };

/** Secret Manager's REST face, as far as one method goes. */
async function secretManager(...replies: Reply[]) {
  const asked: string[] = [];
  const origin = await serve((request, response) => {
    asked.push(String(request.url));
    const { status = 200, body } = replies[Math.min(asked.length, replies.length) - 1] ?? { body: '' };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const secrets = secretsAdapter(async () => new PassThroughClient(), new Waiting(), origin);
  return { asked, access: () => secrets.access('demo', ref, call()) };
}

const holding = (text: string): Reply => ({
  body: {
    name: 'projects/1/secrets/e2e-jwt/versions/3',
    payload: { data: Buffer.from(text).toString('base64') },
  },
});

test('the value of a version is read over REST', async () => {
  const { asked, access } = await secretManager(holding(value));
  expect((await access()).reveal()).toBe(value);
  expect(asked).toEqual([path]);
});

test('a server that is away for a moment is asked again', async () => {
  const { asked, access } = await secretManager({ status: 503, body: {} }, holding(value));
  expect((await access()).reveal()).toBe(value);
  expect(asked).toHaveLength(2);
});

test.each([
  [403, 'forbidden', 'Permission denied on secret'],
  [404, 'not-found', 'Secret not found'],
])('a refusal with %i says what Google says', async (code, kind, message) => {
  const { access } = await secretManager({ status: code, body: { error: { code, message, status: 'X' } } });
  const refused = await access().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(CloudError);
  expect(refused).toMatchObject({
    kind,
    said: message,
    resource: 'projects/demo/secrets/e2e-jwt/versions/latest',
  });
});

test('an answer that is none quotes no word of it', async () => {
  for (const body of [
    { payload: { data: `${value}!` } },
    value,
    { payload: { data: 'x'.repeat(300_000) } },
  ]) {
    const refused = await (await secretManager({ body })).access().catch((error: unknown) => error);
    expect(String(refused)).not.toContain(value);
    expect(refused).toBeInstanceOf(CloudError);
  }
});
