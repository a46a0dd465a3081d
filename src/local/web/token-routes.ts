import { Hono } from 'hono';
import { z } from 'zod';
import type { TokenAuthority } from '../contracts.ts';
import { readBody } from './body.ts';
import type { WebEnv } from './env.ts';

const idTokenSchema = z.object({
  audience: z.string().min(1).max(2048),
  includeEmail: z.boolean().optional(),
});

/** `google.iam.credentials.v1`: the identity tokens that open a private service. */
export function tokenRoutes(tokens: TokenAuthority): Hono<WebEnv> {
  return new Hono<WebEnv>().post(
    '/v1/projects/-/serviceAccounts/:account{(?:[\\w.+-]|@|%40)+:generateIdToken}',
    async (c) => {
      const { audience } = await readBody(c, idTokenSchema);
      const email = c.req.param('account').replace(/:generateIdToken$/, '');
      return c.json({ token: tokens.mint(audience, email) });
    },
  );
}
