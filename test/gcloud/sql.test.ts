import { expect, test } from 'vitest';
import { z } from 'zod';
import { judge, project, region } from './kit.ts';

const connection = `${project}:${region}:main`;
const rows = z.array(z.looseObject({ name: z.string() }));

/** Begins a session through the attachment and answers with the type of the server's first message. */
const client = `
const { connect } = require('node:net');
const start = Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.from('user\\0postgres\\0\\0')]);
const length = Buffer.alloc(4);
length.writeInt32BE(start.length + 4);
require('node:http').createServer((request, response) => {
  const socket = connect(process.env.DB_HOST + '/.s.PGSQL.5432', () => socket.write(Buffer.concat([length, start])));
  socket.once('data', (data) => response.end(data.toString('latin1', 0, 1)));
  socket.once('error', (error) => response.end(error.message));
}).listen(process.env.PORT);
`;
const image = 'europe-west1-docker.pkg.dev/demo-project/judge/client:1';

judge('Cloud SQL', { [image]: client }, (judged) => {
  const sql = (...args: string[]) => judged().told(['sql', ...args]);
  const names = async (...args: string[]) => rows.parse(await sql(...args)).map(({ name }) => name);
  const refused = async (...args: string[]) => {
    const { exitCode, stderr } = await judged().gcloud(['sql', ...args]);
    expect(exitCode).toBe(1);
    return stderr;
  };

  test('there are no instances at first', async () => {
    expect(await sql('instances', 'list')).toEqual([]);
  });

  test('an instance is created, listed and described', async () => {
    const where = ['--database-version=POSTGRES_16', `--region=${region}`, '--tier=db-f1-micro'];
    const created = await sql('instances', 'create', 'main', ...where, '--root-password=of-the-judge');
    const expected = {
      ...{ name: 'main', region, state: 'RUNNABLE', connectionName: connection },
      ...{ databaseVersion: 'POSTGRES_16', settings: { tier: 'db-f1-micro' } },
    };
    expect(created).toMatchObject(expected);
    expect(await sql('instances', 'list')).toMatchObject([expected]);
    expect(await sql('instances', 'describe', 'main')).toMatchObject(expected);
    expect(await refused('instances', 'create', 'main', ...where)).toContain('already exists');
    expect(
      await refused('instances', 'create', 'other', '--database-version=MYSQL_8_0', `--region=${region}`),
    ).toContain('the local cloud runs PostgreSQL only');
    expect(await refused('instances', 'describe', 'other')).toContain(
      'The Cloud SQL instance does not exist.',
    );
  });

  test('it has databases and users', async () => {
    await judged().said(['sql', 'databases', 'create', 'shop', '--instance=main']);
    expect(await names('databases', 'list', '--instance=main')).toEqual(['postgres', 'shop']);
    expect(await refused('databases', 'create', 'shop', '--instance=main')).toContain(
      '[ERROR_RDBMS] database "shop" already exists',
    );
    await judged().said(['sql', 'users', 'create', 'app', '--instance=main', '--password=first']);
    await judged().said(['sql', 'users', 'set-password', 'app', '--instance=main', '--password=second']);
    expect(await names('users', 'list', '--instance=main')).toEqual(['app', 'postgres']);
    await judged().said(['sql', 'users', 'delete', 'app', '--instance=main']);
    expect(await names('users', 'list', '--instance=main')).toEqual(['postgres']);
    const types = z.array(z.object({ operationType: z.string(), status: z.literal('DONE') }));
    const operations = types.parse(await sql('operations', 'list', '--instance=main'));
    expect(operations.map(({ operationType }) => operationType)).toEqual([
      ...['DELETE_USER', 'UPDATE_USER', 'CREATE_USER'],
      ...['CREATE_DATABASE', 'CREATE_DATABASE', 'CREATE'],
    ]);
  });

  test('a service that attaches it speaks to it', async () => {
    const attach = [
      `--add-cloudsql-instances=${connection}`,
      `--set-env-vars=DB_HOST=/cloudsql/${connection}`,
    ];
    const deploy = ['run', 'deploy', 'attached', `--image=${image}`, '--allow-unauthenticated', ...attach];
    const service = z.object({
      spec: z.object({
        template: z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()) }) }),
      }),
      status: z.object({ url: z.string() }),
    });
    const { spec, status } = service.parse(await judged().told(deploy));
    expect(spec.template.metadata.annotations['run.googleapis.com/cloudsql-instances']).toBe(connection);
    // A request to sign in, as Postgres makes it.
    expect(await (await fetch(status.url)).text()).toBe('R');
  });

  test('its log is read', async () => {
    const filter = 'resource.type="cloudsql_database" AND textPayload:"ready to accept connections"';
    expect(await judged().told(['logging', 'read', filter, '--limit=1'])).toMatchObject([
      { resource: { labels: { database_id: `${project}:main` } }, severity: 'INFO' },
    ]);
  });

  test('it is deleted', async () => {
    await judged().said(['sql', 'instances', 'delete', 'main']);
    expect(await sql('instances', 'list')).toEqual([]);
  });
});
