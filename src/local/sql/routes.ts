import { status } from '@grpc/grpc-js';
import { type Context, Hono } from 'hono';
import { RpcError } from '../grpc.ts';
import { page } from '../run/page.ts';
import { readBody } from '../web/body.ts';
import type { WebEnv } from '../web/env.ts';
import { projectOf } from '../web/project.ts';
import type { Instances } from './instances.ts';
import { platformRole } from './postgres/admin.ts';
import { scramVerifier } from './postgres/scram.ts';
import { renderDatabase, renderInstance, renderOperation, renderUser } from './render.ts';
import { databaseBody, instanceBody, userBody } from './schema.ts';
import type { SqlState } from './state.ts';

export type SqlParts = { instances: Instances; state: SqlState };

/** The Cloud SQL Admin API, under both of its names. */
export function sqlRoutes(parts: SqlParts): Hono<WebEnv> {
  return new Hono<WebEnv>()
    .route('/sql/v1beta4/projects/:project', projectRoutes(parts))
    .route('/v1/projects/:project', projectRoutes(parts))
    .all('/sql/v1beta4/*', refuse);
}

function projectRoutes({ instances, state }: SqlParts): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  const instanceOf = (c: Context) => instances.get(projectOf(c), c.req.param('instance') ?? '');
  return app
    .get('/instances', async (c) => {
      refuseFilter(c);
      const version = await instances.version();
      const { items, nextPageToken } = pageOf(c, instances.list(projectOf(c)));
      const rendered = items.map((each) => renderInstance(each, version));
      return c.json({ kind: 'sql#instancesList', items: rendered, ...(nextPageToken && { nextPageToken }) });
    })
    .post('/instances', async (c) => {
      const body = await readBody(c, instanceBody);
      return c.json(renderOperation(await instances.insert(projectOf(c), body)));
    })
    .get('/instances/:instance', async (c) =>
      c.json(renderInstance(instanceOf(c), await instances.version())),
    )
    .delete('/instances/:instance', async (c) =>
      c.json(renderOperation(await instances.delete(projectOf(c), c.req.param('instance')))),
    )
    .get('/operations', (c) => {
      const own = [...state.operations.values()]
        .filter(({ project }) => project === projectOf(c))
        .filter(({ instance }) => instance === (c.req.query('instance') ?? instance))
        .reverse();
      const { items, nextPageToken } = pageOf(c, own);
      const rendered = items.map(renderOperation);
      return c.json({ kind: 'sql#operationsList', items: rendered, ...(nextPageToken && { nextPageToken }) });
    })
    .get('/operations/:operation', (c) => {
      const found = state.operations.get(c.req.param('operation'));
      if (found?.project !== projectOf(c))
        throw new RpcError(status.NOT_FOUND, 'The Cloud SQL operation does not exist.');
      return c.json(renderOperation(found));
    })
    .get('/instances/:instance/databases', async (c) => {
      const instance = instanceOf(c);
      const found = await instances.ask(instance, (admin) => admin.databases());
      return c.json({
        kind: 'sql#databasesList',
        items: found.map((database) => renderDatabase(instance, database)),
      });
    })
    .get('/instances/:instance/databases/:database', async (c) => {
      const instance = instanceOf(c);
      const all = await instances.ask(instance, (admin) => admin.databases());
      const found = all.find(({ name }) => name === c.req.param('database'));
      if (!found) throw new RpcError(status.NOT_FOUND, 'Not Found');
      return c.json(renderDatabase(instance, found));
    })
    .post('/instances/:instance/databases', async (c) => {
      const { name, charset = '', collation = '' } = await readBody(c, databaseBody);
      const operation = await instances.change(instanceOf(c), 'CREATE_DATABASE', (admin) =>
        admin.createDatabase({ name, charset, collation }),
      );
      return c.json(renderOperation(operation));
    })
    .delete('/instances/:instance/databases/:database', async (c) => {
      const operation = await instances.change(instanceOf(c), 'DELETE_DATABASE', (admin) =>
        admin.dropDatabase(c.req.param('database')),
      );
      return c.json(renderOperation(operation));
    })
    .get('/instances/:instance/users', async (c) => {
      const instance = instanceOf(c);
      const names = await instances.ask(instance, (admin) => admin.users());
      return c.json({ kind: 'sql#usersList', items: names.map((name) => renderUser(instance, name)) });
    })
    .get('/instances/:instance/users/:user', async (c) => {
      const instance = instanceOf(c);
      const names = await instances.ask(instance, (admin) => admin.users());
      const name = names.find((each) => each === c.req.param('user'));
      if (name === undefined) throw new RpcError(status.NOT_FOUND, 'Not Found');
      return c.json(renderUser(instance, name));
    })
    .post('/instances/:instance/users', async (c) => {
      const { name = '', password } = await readBody(c, userBody);
      return setUser(c, 'CREATE_USER', name, password);
    })
    .put('/instances/:instance/users', async (c) => {
      const { name, password } = await readBody(c, userBody);
      return setUser(c, 'UPDATE_USER', c.req.query('name') ?? name ?? '', password);
    })
    .delete('/instances/:instance/users', async (c) => {
      const name = checkUser(c.req.query('name') ?? '');
      const operation = await instances.change(instanceOf(c), 'DELETE_USER', (admin) => admin.dropUser(name));
      return c.json(renderOperation(operation));
    })
    .all('/instances/*', refuse)
    .all('/tiers', refuse);

  async function setUser(
    c: Context,
    type: 'CREATE_USER' | 'UPDATE_USER',
    name: string,
    password: string | undefined,
  ) {
    checkUser(name);
    const verifier = password === undefined ? undefined : scramVerifier(password);
    const operation = await instances.change(instanceOf(c), type, async (admin) => {
      const known = (await admin.users()).includes(name);
      if (known !== (type === 'UPDATE_USER'))
        throw new Error(known ? `role "${name}" already exists` : `role "${name}" does not exist`);
      await admin.setUser(name, verifier);
    });
    return c.json(renderOperation(operation));
  }
}

/** What Google's API has and this one has not. */
function refuse(c: Context): never {
  const what = `The local cloud does not implement ${c.req.method} ${c.req.path}.`;
  throw new RpcError(status.UNIMPLEMENTED, what);
}

function checkUser(name: string): string {
  if (name === '' || name === platformRole || /^pg_|^cloudsql/.test(name))
    throw new RpcError(status.INVALID_ARGUMENT, `Invalid request: Invalid user name (${name}).`);
  return name;
}

function pageOf<T>(c: Context, items: readonly T[]) {
  const size = Number(c.req.query('maxResults') ?? 0);
  if (!Number.isInteger(size) || size < 0)
    throw new RpcError(status.INVALID_ARGUMENT, 'maxResults: is not a number of results');
  return page(items, size, c.req.query('pageToken'));
}

function refuseFilter(c: Context): void {
  if (c.req.query('filter'))
    throw new RpcError(status.UNIMPLEMENTED, 'filter: the local cloud does not support this field.');
}
