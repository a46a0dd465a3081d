import { status } from '@grpc/grpc-js';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';
import { readBody } from '../web/body.ts';
import { bytesSchema } from '../web/bytes.ts';
import type { WebEnv } from '../web/env.ts';
import { projectOf } from '../web/project.ts';
import { renderAccess, renderSecret, renderVersion } from './render.ts';
import { maskedSettings, page, unknownVerb } from './requests.ts';
import { secretFields } from './state.ts';
import type { SecretStore } from './store.ts';

const createSchema = z.strictObject({ ...secretFields, etag: z.string().optional() });
const patchSchema = z.strictObject({
  ...secretFields,
  name: z.string().optional(),
  createTime: z.string().optional(),
  etag: z.string().optional(),
});
const addSchema = z.strictObject({
  payload: z.strictObject(
    // An int64, which JSON carries as a string.
    { data: bytesSchema, dataCrc32c: z.coerce.string().optional() },
    'must be set',
  ),
});
const etagSchema = z.strictObject({ etag: z.string().optional() });

const changes = { enable: 'ENABLED', disable: 'DISABLED', destroy: 'DESTROYED' } as const;
const changeSchema = z.enum(['enable', 'disable', 'destroy']);

/** `google.cloud.secretmanager.v1` over REST; source of paths and bodies: its discovery document. */
export function secretsRoutes(store: SecretStore): Hono<WebEnv> {
  const secrets = '/v1/projects/:project/secrets';
  const secret = `${secrets}/:secret`;
  const version = `${secret}/versions/:version`;
  return new Hono<WebEnv>()
    .get(secrets, (c) => {
      const { items, ...rest } = page(c, store.list(projectOf(c)));
      return c.json({ secrets: items.map(renderSecret), ...rest });
    })
    .post(secrets, async (c) => {
      const { etag: _, replication, ...settings } = await readBody(c, createSchema);
      const name = { project: projectOf(c), secret: c.req.query('secretId') ?? '' };
      if (!replication) throw new RpcError(status.INVALID_ARGUMENT, 'Field [replication] is required.');
      return c.json(renderSecret(await store.create(name, replication, settings)));
    })
    .get(secret, (c) => c.json(renderSecret(store.get(secretOf(c, '')))))
    .patch(secret, async (c) => {
      const { etag, ...sent } = await readBody(c, patchSchema);
      return c.json(renderSecret(await store.update(secretOf(c, ''), maskedSettings(c, sent), etag)));
    })
    .delete(secret, async (c) => {
      await store.remove(secretOf(c, ''), c.req.query('etag'));
      return c.json({});
    })
    .post(secret, async (c) => {
      const name = secretOf(c, 'addVersion');
      const { payload } = await readBody(c, addSchema);
      const added = await store.addVersion(name, payload.data, payload.dataCrc32c);
      return c.json(renderVersion(added));
    })
    .get(`${secret}/versions`, (c) => {
      const { items, ...rest } = page(c, store.versions(secretOf(c, '')));
      return c.json({ versions: items.map(renderVersion), ...rest });
    })
    .get(version, (c) => {
      const { name, verb } = split(c.req.param('version'));
      const ref = { ...secretOf(c, ''), version: name };
      if (verb === 'access') return c.json(renderAccess(store.access(ref)));
      if (verb) throw unknownVerb(verb);
      return c.json(renderVersion(store.version(ref)));
    })
    .post(version, async (c) => {
      const { name, verb } = split(c.req.param('version'));
      const change = changeSchema.safeParse(verb);
      if (!change.success) throw unknownVerb(verb);
      if (!/^\d+$/.test(name)) {
        const message = `Only a version's number may be given to ${change.data} it, not '${name}'.`;
        throw new RpcError(status.INVALID_ARGUMENT, message);
      }
      const { etag } = await readBody(c, etagSchema);
      const ref = { ...secretOf(c, ''), version: name };
      return c.json(renderVersion(await store.change(ref, changes[change.data], etag)));
    });
}

/** The secret in the path, if the path asks for this custom method of it (`''`: for none). */
function secretOf(c: Context<WebEnv>, expected: string) {
  const { name: secret, verb } = split(c.req.param('secret') ?? '');
  if (verb !== expected) throw unknownVerb(verb);
  return { project: projectOf(c), secret };
}

function split(segment: string): { name: string; verb: string } {
  const [name = '', verb = ''] = segment.split(':', 2);
  return { name, verb };
}
