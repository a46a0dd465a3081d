import { expect, test } from 'vitest';
import { judge, region } from './kit.ts';

const image = 'europe-west1-docker.pkg.dev/demo-project/judge/serves:1';
const serves = `
const fs = require('node:fs');
let live = 200;
require('http').createServer((q, s) => {
  if (q.url === '/live') s.statusCode = live;
  if (q.url === '/die') live = 500;
  if (q.url === '/cache') fs.appendFileSync('/sluice-judge/cache/x', 'x');
  s.end(q.url === '/cache' ? fs.readFileSync('/sluice-judge/cache/x', 'utf8') : process.env.PORT);
}).listen(process.env.PORT);`;
const from = ['--region', region] as const;

judge('Serving', { [image]: serves }, (judged) => {
  const deploy = (service: string, ...flags: string[]) => [
    ...['run', 'deploy', service, '--image', image, ...from, ...flags],
  ];
  const urlOf = async (service: string) =>
    (
      await judged().said(['run', 'services', 'describe', service, ...from, '--format=value(status.url)'])
    ).trim();

  test('the flags of a revision are honoured: affinity, volumes, liveness, ingress and the rest', async () => {
    const { said } = judged();
    const limits = ['--memory=512Mi', '--cpu=1', '--timeout=60', '--concurrency=10', '--port=8080'];
    const scale = ['--min-instances=1', '--max-instances=3', '--cpu-boost', '--execution-environment=gen2'];
    const own = ['--service-account=run@demo-project.iam.gserviceaccount.com', '--session-affinity'];
    const volume = ['--add-volume=name=cache,type=in-memory,size-limit=64Mi'];
    const mount = ['--add-volume-mount=volume=cache,mount-path=/sluice-judge/cache'];
    const probe = ['--liveness-probe=httpGet.path=/live,periodSeconds=1,failureThreshold=1'];
    const flags = [...limits, ...scale, ...own, ...volume, ...mount, ...probe];
    await said(deploy('all', '--allow-unauthenticated', ...flags));
    const url = await urlOf('all');
    const first = await fetch(url);
    expect(first.headers.get('set-cookie')).toMatch(/^GAESA=/);
    expect(await (await fetch(`${url}/cache`)).text()).toBe('x');

    const instance = await first.text();
    await fetch(`${url}/die`);
    await expect.poll(async () => (await fetch(url)).text(), { timeout: 30_000 }).not.toBe(instance);
    const filter = 'resource.labels.service_name="all" AND textPayload:"LIVENESS HTTP probe failed 1 time"';
    expect(await said(['logging', 'read', filter, '--format=value(textPayload)'])).toContain(
      'The instance has been shut down.',
    );

    await said(['run', 'services', 'update', 'all', ...from, '--ingress=internal']);
    expect((await fetch(url)).status).toBe(404);
  });

  test('what is not supported is refused by its name', async () => {
    const refused = async (...flags: string[]) =>
      (await judged().gcloud(deploy('refused', '--no-allow-unauthenticated', ...flags))).stderr;
    expect(await refused('--vpc-connector=c')).toContain('run.googleapis.com/vpc-access-connector');
    expect(
      await refused(
        '--add-volume=name=b,type=cloud-storage,bucket=x',
        '--add-volume-mount=volume=b,mount-path=/b',
      ),
    ).toContain('volumes[0].csi');
  });

  test('a service is private without a word, and opens to the identity token that gcloud prints', async () => {
    const { said } = judged();
    await said(deploy('private'));
    const url = await urlOf('private');
    const status = async (token?: string) =>
      (await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })).status;
    const account = '--impersonate-service-account=ci@demo-project.iam.gserviceaccount.com';
    const env = {
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'false',
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: await judged().write('access-token', 'any'),
      CLOUDSDK_CORE_ACCOUNT: 'me@example.com',
    };
    const token = await said(['auth', 'print-identity-token', account, `--audiences=${url}`], { env });
    expect([await status(), await status(token.trim()), await status(`${token.trim()}x`)]).toEqual([
      403, 200, 401,
    ]);
  });
});
