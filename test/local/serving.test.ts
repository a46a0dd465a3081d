import { expect, test } from 'vitest';
import { localCloudStatus, setIdleTimeout } from '../../src/local/launcher.ts';
import { startLocalCloud } from '../../src/local/server.ts';
import {
  connect,
  create,
  read,
  type ServiceMessage,
  serviceMessage,
  startCloud,
  tempHome,
  update,
} from './harness.ts';
import { programs } from './programs.ts';

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
const open: ServiceMessage = { invokerIamDisabled: true };

test('ingress, identity and affinity are what the service says, over its whole life', async () => {
  const { port } = await startCloud({ home: tempHome() });
  const clients = connect(port);
  const { template } = serviceMessage();
  const created = await create(clients, serviceMessage({ template: { ...template, sessionAffinity: true } }));
  const uri = created.uri ?? '';
  const status = async (headers: Record<string, string> = {}) => (await fetch(uri, { headers })).status;

  const url = `http://127.0.0.1:${port}/v1/projects/-/serviceAccounts/ci@demo.iam.gserviceaccount.com:generateIdToken`;
  const minted = await post(url, { audience: uri });
  const { token } = JSON.parse(await minted.text());
  expect(await status()).toBe(403);
  expect(await status({ authorization: `Bearer ${token}` })).toBe(200);
  expect(await status({ 'x-serverless-authorization': `Bearer ${token}` })).toBe(200);
  expect(await status({ authorization: `Bearer ${token.slice(0, -2)}` })).toBe(401);

  await update(
    clients,
    { ...open, ingress: 'INGRESS_TRAFFIC_INTERNAL_ONLY' },
    'invoker_iam_disabled',
    'ingress',
  );
  expect((await read(clients)).ingress).toBe('INGRESS_TRAFFIC_INTERNAL_ONLY');
  expect(await status()).toBe(404);
  await update(clients, { ingress: 'INGRESS_TRAFFIC_ALL' }, 'ingress');
  const answer = await fetch(uri);
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([200, expect.stringMatching(/^GAESA=/)]);
});

test('whoever asks for their permissions on a service that does not exist yet has them', async () => {
  const { port } = await startCloud({ home: tempHome() });
  const url = `http://127.0.0.1:${port}/v1/projects/demo/locations/europe-west1/services/none:testIamPermissions`;
  const permissions = ['run.services.setIamPolicy'];
  const answer = await post(url, { permissions });
  expect(await answer.json()).toEqual({ permissions });
});

test('an idle service scales to zero, starts for a request, and the timeout is kept over a restart', async () => {
  const home = tempHome();
  const images = programs(home);
  const cloud = await startCloud({ home, images });
  const clients = connect(cloud.port);
  const { uri } = await create(clients, serviceMessage(open));
  const portOf = async () => (await fetch(`${uri}/port`)).text();
  const answers = (port: string) =>
    fetch(`http://127.0.0.1:${port}`).then(
      () => true,
      () => false,
    );
  const first = await portOf();
  await setIdleTimeout({ home }, { seconds: 0.1 });
  await expect.poll(() => answers(first), { timeout: 20_000 }).toBe(false);
  await setIdleTimeout({ home }, { seconds: 77 });
  const second = await portOf();
  expect(await answers(second)).toBe(true);

  await cloud.stop();
  const next = await startLocalCloud({ home, images });
  expect(await localCloudStatus({ home })).toMatchObject({ idleTimeout: { seconds: 77 } });
  await next.stop();
});
