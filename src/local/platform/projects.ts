import { status } from '@grpc/grpc-js';
import { type Context, Hono } from 'hono';
import { RpcError } from '../grpc.ts';
import { projectNumberOf } from '../project-number.ts';
import type { WebEnv } from '../web/env.ts';

const projectId = /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
/** `google.cloud.resourcemanager`, read only: every project that could be is there. */
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
    });
}

export function projectOf(c: Context): string {
  const project = c.req.param('project') ?? '';
  if (projectId.test(project)) return project;
  // As Google answers for a project that one may not know of.
  throw new RpcError(status.PERMISSION_DENIED, 'The caller does not have permission');
}
