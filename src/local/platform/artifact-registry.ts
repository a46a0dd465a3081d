import { status } from '@grpc/grpc-js';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';
import { type Collection, openCollection } from '../journal/collection.ts';
import type { Journal } from '../journal/journal.ts';
import { readBody } from '../web/body.ts';
import type { WebEnv } from '../web/env.ts';

const repositorySchema = z.object({
  name: z.string(),
  format: z.literal('DOCKER'),
  description: z.string(),
  labels: z.record(z.string(), z.string()),
  createTime: z.string(),
});
type Repository = z.output<typeof repositorySchema>;

/** Integer enums come in from gcloud. */
const dockerFormat = z.literal('DOCKER').or(z.literal(1).transform(() => 'DOCKER' as const));
const newRepositorySchema = z.strictObject({
  name: z.string().optional(),
  format: dockerFormat,
  mode: z.literal(['STANDARD_REPOSITORY', 'MODE_UNSPECIFIED']).optional(),
  description: z.string().max(1024).default(''),
  labels: z.record(z.string(), z.string()).default({}),
});
const repositoryId = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const operationPrefix = 'create-repository-';

/** `google.devtools.artifactregistry.v1`: Docker repositories by name. Images can be pushed without one. */
export function artifactRegistryRoutes({ journal }: { journal: Journal }): Hono<WebEnv> {
  const repositories = openCollection({
    journal,
    name: 'artifact-repositories',
    schema: repositorySchema,
    keyOf: ({ name }) => name,
  });
  const parent = '/v1/projects/:project/locations/:location';
  return new Hono<WebEnv>()
    .get(`${parent}/repositories`, (c) => {
      const prefix = `${parentOf(c)}/repositories/`;
      return c.json({
        repositories: [...repositories.values()].filter(({ name }) => name.startsWith(prefix)),
      });
    })
    .post(`${parent}/repositories`, async (c) => {
      const id = c.req.query('repositoryId') ?? '';
      const repository = await create(c, id, repositories);
      return c.json(operation(`${parentOf(c)}/operations/${operationPrefix}${id}`, repository));
    })
    .get(`${parent}/repositories/:repository`, (c) =>
      c.json(find(repositories, `${parentOf(c)}/repositories/${c.req.param('repository')}`)),
    )
    .get(`${parent}/operations/:operation{${operationPrefix}.+}`, (c) => {
      const id = c.req.param('operation');
      const name = `${parentOf(c)}/repositories/${id.slice(operationPrefix.length)}`;
      return c.json(operation(`${parentOf(c)}/operations/${id}`, find(repositories, name)));
    });
}

async function create(c: Context, id: string, repositories: Collection<Repository>): Promise<Repository> {
  if (!repositoryId.test(id)) throw new RpcError(status.INVALID_ARGUMENT, `invalid repository id "${id}"`);
  const { description, labels, format } = await readBody(c, newRepositorySchema);
  const name = `${parentOf(c)}/repositories/${id}`;
  if (repositories.get(name)) throw new RpcError(status.ALREADY_EXISTS, 'the repository already exists');
  const repository = { name, format, description, labels, createTime: new Date().toISOString() };
  await repositories.put(repository);
  return repository;
}

function find(repositories: Collection<Repository>, name: string): Repository {
  const repository = repositories.get(name);
  if (repository) return repository;
  throw new RpcError(status.NOT_FOUND, `Requested entity was not found. "${name}"`);
}

function parentOf(c: Context): string {
  return `projects/${c.req.param('project')}/locations/${c.req.param('location')}`;
}

/** It is done before it is told of. */
function operation(name: string, repository: Repository) {
  const type = 'type.googleapis.com/google.devtools.artifactregistry.v1.Repository';
  return { name, done: true, response: { '@type': type, ...repository } };
}
