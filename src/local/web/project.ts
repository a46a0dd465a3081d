import { status } from '@grpc/grpc-js';
import type { Context } from 'hono';
import { RpcError } from '../grpc.ts';

/** An id, one of a domain (`example.com:shop`) or a number. */
const projectPattern = /^[a-z0-9][a-z0-9.:-]{0,62}$/;

/** The project in the path, fit for a key of the state. Throws INVALID_ARGUMENT. */
export function projectOf(c: Context): string {
  const project = c.req.param('project') ?? '';
  if (projectPattern.test(project)) return project;
  throw new RpcError(
    status.INVALID_ARGUMENT,
    `Invalid project id: ${JSON.stringify(project.slice(0, 100))}.`,
  );
}
