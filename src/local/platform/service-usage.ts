import { status } from '@grpc/grpc-js';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';
import { projectNumberOf } from '../project-number.ts';
import { readBody } from '../web/body.ts';
import type { WebEnv } from '../web/env.ts';

/** The APIs that the local cloud serves: each is enabled in every project, and none can be disabled. */
const served = [
  ...['artifactregistry', 'cloudbuild', 'cloudresourcemanager', 'iam', 'iamcredentials', 'logging', 'run'],
  ...[
    'secretmanager',
    'serviceusage',
    'sql-component',
    'sqladmin',
    'storage',
    'storage-api',
    'storage-component',
  ],
].map((name) => `${name}.googleapis.com`);

const batchSchema = z.strictObject({ serviceIds: z.array(z.string()).min(1).max(20) });
const emptySchema = z.strictObject({});

/** `google.api.serviceusage.v1`, as far as a client asks whether what it needs is enabled. */
export function serviceUsageRoutes(): Hono<WebEnv> {
  const services = '/v1/projects/:project/services';
  return new Hono<WebEnv>()
    .get(services, (c) => c.json({ services: served.map((name) => service(c, name)) }))
    .get(`/v1/projects/:project/:verb{services:batchGet}`, (c) => {
      const names = c.req.queries('names') ?? [];
      return c.json({ services: names.map((name) => service(c, name.replace(/^.*\//, ''))) });
    })
    .post(`/v1/projects/:project/:verb{services:batchEnable}`, async (c) => {
      const { serviceIds } = await readBody(c, batchSchema);
      return c.json(
        enabled('BatchEnableServicesResponse', { services: serviceIds.map((name) => enable(c, name)) }),
      );
    })
    .get(`${services}/:service`, (c) => c.json(service(c, c.req.param('service'))))
    .post(`${services}/:service{[\\w.-]+:enable}`, async (c) => {
      await readBody(c, emptySchema);
      const name = c.req.param('service').replace(/:enable$/, '');
      return c.json(enabled('EnableServiceResponse', { service: enable(c, name) }));
    });
}

function service(c: Context, name: string) {
  const parent = `projects/${projectNumberOf(c.req.param('project') ?? '')}`;
  const state = served.includes(name) ? 'ENABLED' : 'DISABLED';
  return { name: `${parent}/services/${name}`, config: { name }, state, parent };
}

function enable(c: Context, name: string) {
  if (served.includes(name)) return service(c, name);
  throw new RpcError(status.UNIMPLEMENTED, `The local cloud does not serve ${name}.`);
}

/** Nothing is to be waited for. */
function enabled(type: string, response: object) {
  const packed = { '@type': `type.googleapis.com/google.api.serviceusage.v1.${type}`, ...response };
  return { name: 'operations/noop.DONE_OPERATION', done: true, response: packed };
}
