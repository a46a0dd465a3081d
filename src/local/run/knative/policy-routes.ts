import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { readBody } from '../../web/body.ts';
import { bytesSchema } from '../../web/bytes.ts';
import type { WebEnv } from '../../web/env.ts';
import type { RunModel } from '../model.ts';
import type { ServiceName } from '../names.ts';
import { checkPolicyMask, type Policy, policyEtag } from '../policy.ts';

const policySchema = z.strictObject({
  bindings: z
    .array(z.strictObject({ role: z.string(), members: z.array(z.string()).default([]) }))
    .default([]),
  etag: bytesSchema.optional(),
  version: z.int().optional(),
});
const setSchema = z.strictObject({
  policy: policySchema.default({ bindings: [] }),
  updateMask: z.string().optional(),
});
const testSchema = z.strictObject({ permissions: z.array(z.string()).default([]) });

/** google.iam.v1 of a service, in the v1 API. */
export function policyRoutes(model: RunModel): Hono<WebEnv> {
  const service = '/v1/projects/:project/locations/:location/services';
  return new Hono<WebEnv>()
    .get(`${service}/:name{[^/:]+:getIamPolicy}`, (c) => c.json(policyJson(model.policy(nameOf(c)))))
    .post(`${service}/:name{[^/:]+:setIamPolicy}`, async (c) => {
      const { policy, updateMask = '' } = await readBody(c, setSchema);
      checkPolicyMask(updateMask.split(',').filter((path) => path !== ''));
      return c.json(policyJson(await model.setPolicy(nameOf(c), policy.bindings, policy.etag)));
    })
    .post(`${service}/:name{[^/:]+:testIamPermissions}`, async (c) => {
      // Everybody may everything here; gcloud asks before the service exists, when the project's permissions hold.
      const { permissions } = await readBody(c, testSchema);
      return c.json({ permissions });
    });
}

function nameOf(c: Context<WebEnv>): ServiceName {
  const { project = '', location = '', name = '' } = c.req.param();
  return { project, location, service: name.replace(/:\w+$/, '') };
}

function policyJson(policy: Policy) {
  const { bindings } = policy;
  return {
    ...(bindings.length > 0 && { version: 1, bindings }),
    etag: policyEtag(policy).toString('base64'),
  };
}
