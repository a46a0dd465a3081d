import { createHash } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { type Context, Hono } from 'hono';
import { RpcError } from '../grpc.ts';
import { defaultServiceAccountOf, projectNumberOf } from '../project-number.ts';
import type { WebEnv } from '../web/env.ts';

const projectId = /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
/** Its own, by its id; or the ones that Google makes for it, by its number. */
const accountEmail =
  /^(?:[a-z0-9-]+@([a-z0-9-]+)\.iam|(\d+)-compute@developer|(\d+)@cloudbuild)\.gserviceaccount\.com$/;

/**
 * `google.cloud.resourcemanager` and `google.iam.admin.v1`, read only. Every project is there, and so is every service
 * account that a project could have: nobody makes either in the local cloud.
 */
export function projectRoutes(): Hono<WebEnv> {
  return new Hono<WebEnv>()
    .get('/v1/projects/:project', (c) => {
      const id = projectOf(c);
      return c.json({
        projectId: id,
        projectNumber: projectNumberOf(id),
        name: id,
        lifecycleState: 'ACTIVE',
      });
    })
    .get('/v3/projects/:project', (c) => {
      const id = projectOf(c);
      return c.json({
        name: `projects/${projectNumberOf(id)}`,
        projectId: id,
        displayName: id,
        state: 'ACTIVE',
      });
    })
    .get('/v1/projects/:project/serviceAccounts', (c) => {
      const project = projectOf(c);
      return c.json({ accounts: [account(project, defaultServiceAccountOf(project))] });
    })
    .get('/v1/projects/:project/serviceAccounts/:account', (c) => c.json(findAccount(c)));
}

function projectOf(c: Context): string {
  const project = c.req.param('project') ?? '';
  if (projectId.test(project)) return project;
  // As Google answers for a project that one may not know of.
  throw new RpcError(status.PERMISSION_DENIED, 'The caller does not have permission');
}

/** `-` asks for an account by its name alone. */
function findAccount(c: Context) {
  const email = c.req.param('account') ?? '';
  const asked = c.req.param('project') ?? '';
  const owner = accountEmail
    .exec(email)
    ?.slice(1)
    .find((part) => part !== undefined);
  const isTheirs = asked === '-' || owner === asked || owner === projectNumberOf(asked);
  if (owner !== undefined && isTheirs) return account(asked === '-' ? owner : asked, email);
  throw new RpcError(status.NOT_FOUND, `Unknown service account: ${email}`);
}

function account(project: string, email: string) {
  const uniqueId = BigInt(`0x1${createHash('sha256').update(email).digest('hex').slice(0, 16)}`).toString();
  return { name: `projects/${project}/serviceAccounts/${email}`, projectId: project, email, uniqueId };
}
