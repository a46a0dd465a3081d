import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { z } from 'zod';
import type { TokenAuthority } from '../contracts.ts';
import { readBody } from './body.ts';
import type { WebEnv } from './env.ts';

// gcloud says null for none.
const delegates = z.array(z.string()).nullish();
const idTokenSchema = z.object({
  audience: z.string().min(1).max(2048),
  includeEmail: z.boolean().optional(),
  delegates,
});
const accessTokenSchema = z.object({
  scope: z.array(z.string()).min(1),
  lifetime: z
    .string()
    .regex(/^\d{1,5}s$/, 'is not a duration such as 3600s')
    .default('3600s'),
  delegates,
});

const account = '/v1/projects/-/serviceAccounts/:account';
const email = '(?:[\\w.+-]|@|%40)+';

/** `google.iam.credentials.v1`: the tokens of a service account, for whoever asks. */
export function tokenRoutes(tokens: TokenAuthority): Hono<WebEnv> {
  return (
    new Hono<WebEnv>()
      .post(`${account}{${email}:generateIdToken}`, async (c) => {
        const { audience } = await readBody(c, idTokenSchema);
        return c.json({ token: tokens.mint(audience, c.req.param('account').replace(/:\w+$/, '')) });
      })
      // The local cloud's APIs ask for none, so it need not know it again.
      .post(`${account}{${email}:generateAccessToken}`, async (c) => {
        const { lifetime } = await readBody(c, accessTokenSchema);
        const expires = new Date(Date.now() + Number.parseInt(lifetime, 10) * 1000);
        // Google's own libraries read it without fractions only.
        const expireTime = expires.toISOString().replace(/\.\d+Z$/, 'Z');
        return c.json({ accessToken: `local.${randomBytes(24).toString('base64url')}`, expireTime });
      })
  );
}
