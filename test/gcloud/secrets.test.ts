import { expect, test } from 'vitest';
import { z } from 'zod';
import { judge, region } from './kit.ts';

const image = 'europe-west1-docker.pkg.dev/demo-project/judge/shows:1';
const shows = `
const fs = require('node:fs');
const texts = {
  '/env': () => process.env.API_KEY,
  '/file': () => fs.readFileSync(process.env.KEY_FILE, 'utf8'),
};
require('http').createServer((q, s) => s.end(texts[q.url]())).listen(process.env.PORT);`;
const from = ['--region', region] as const;

judge('Secret Manager', { [image]: shows }, (judged) => {
  test('a secret lives: create, versions add, access, disable, enable, destroy, delete', async () => {
    const { gcloud, said, told } = judged();
    await said(['secrets', 'create', 'life', '--data-file=-', '--labels=team=chat'], { input: 'first' });
    await said(['secrets', 'versions', 'add', 'life', '--data-file=-'], { input: 'second\nline' });
    const access = (version: string) => ['secrets', 'versions', 'access', version, '--secret=life'];
    expect(await said(access('latest'))).toBe('second\nline');
    expect(await said(access('1'))).toBe('first');

    expect(await told(['secrets', 'list'])).toMatchObject([{ labels: { team: 'chat' } }]);
    expect(await told(['secrets', 'describe', 'life'])).toMatchObject({
      name: 'projects/demo-project/secrets/life',
      replication: { automatic: {} },
    });
    await said(['secrets', 'versions', 'disable', '2', '--secret=life']);
    expect(await told(['secrets', 'versions', 'list', 'life'])).toMatchObject([
      { state: 'DISABLED' },
      { state: 'ENABLED' },
    ]);
    expect((await gcloud(access('latest'))).stderr).toContain(
      'FAILED_PRECONDITION: Secret Version [projects/demo-project/secrets/life/versions/2] is in DISABLED state.',
    );
    await said(['secrets', 'versions', 'enable', '2', '--secret=life']);
    await said(['secrets', 'update', 'life', '--update-version-aliases=live=2', '--update-labels=a=b']);
    expect(await said(access('live'))).toBe('second\nline');
    await said(['secrets', 'versions', 'destroy', '1', '--secret=life']);
    expect((await gcloud(access('1'))).stderr).toContain('is in DESTROYED state.');
    await said(['secrets', 'delete', 'life']);
    expect((await gcloud(access('latest'))).stderr).toContain(
      'NOT_FOUND: Secret [projects/demo-project/secrets/life] not found or has no versions.',
    );
  });

  test('a replication policy is kept, and what is not supported is refused by name', async () => {
    const { gcloud, said } = judged();
    const managed = ['--replication-policy=user-managed', '--locations=europe-west1,europe-west4'];
    await said(['secrets', 'create', 'placed', ...managed]);
    const table = '--format=value(replication.userManaged.replicas[].location)';
    expect(await said(['secrets', 'describe', 'placed', table])).toBe('europe-west1;europe-west4');
    expect((await gcloud(['secrets', 'create', 'placed'])).stderr).toContain('already exists');
    expect((await gcloud(['secrets', 'create', 'brief', '--ttl=3600s'])).stderr).toContain('ttl');
  });

  test('a service takes secrets as a variable and as a file; a missing one fails it for its reason', async () => {
    const { gcloud, said } = judged();
    await said(['secrets', 'create', 'api-key', '--data-file=-'], { input: 'the value' });
    const deploy = (service: string, secrets: string) => [
      ...['run', 'deploy', service, '--image', image, ...from, '--allow-unauthenticated'],
      ...[`--set-secrets=${secrets}`, '--set-env-vars=KEY_FILE=/sluice-judge/key'],
    ];
    await said(deploy('keeper', 'API_KEY=api-key:latest,/sluice-judge/key=api-key:1'));
    const url = (
      await said(['run', 'services', 'describe', 'keeper', ...from, '--format=value(status.url)'])
    ).trim();
    expect(await (await fetch(`${url}/env`)).text()).toBe('the value');
    expect(await (await fetch(`${url}/file`)).text()).toBe('the value');

    const failed = await gcloud(deploy('loser', 'API_KEY=none:latest,/sluice-judge/key=api-key:9'));
    expect(failed.exitCode).not.toBe(0);
    expect(failed.stderr).toContain(
      'spec.template.spec.containers[0].env[1].value_from.secret_key_ref.name: Secret projects/demo-project/secrets/none/versions/latest was not found',
    );
    expect(failed.stderr).toContain('projects/demo-project/secrets/api-key/versions/9 was not found');
    const [ready] = z
      .object({ status: z.object({ conditions: z.array(z.looseObject({ type: z.string() })) }) })
      .parse(await judged().told(['run', 'services', 'describe', 'loser', ...from]))
      .status.conditions.filter(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ status: 'False', reason: 'SecretsAccessCheckFailed' });
    const { stdout } = await judged().sluice(['local', 'status', '--json']);
    expect(stdout).not.toContain('the value');
  });
});
