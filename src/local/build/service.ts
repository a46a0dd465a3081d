import { randomUUID } from 'node:crypto';
import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { z } from 'zod';
import { RpcError, unary } from '../grpc.ts';
import type { Operation } from '../operations.ts';
import { defaultServiceAccountOf } from '../project-number.ts';
import { compileBuildFilter } from './filter.ts';
import { logObjectOf } from './logs.ts';
import { messageWith } from './message.ts';
import { type BuildOrder, planBuild } from './order.ts';
import { type BuildRecord, isOver, toBuild } from './record.ts';
import { readBuild, refused } from './schema.ts';

/** What the service needs of the builds that there are. */
export type Builds = {
  /** What the local cloud is reached by. */
  host(): string;
  all(): readonly BuildRecord[];
  isFull(): boolean;
  /** Stores the build and its operation, and queues it. */
  start(record: BuildRecord, order: BuildOrder): Promise<Operation>;
  cancel(record: BuildRecord): Promise<void>;
};

const createSchema = z.object({
  parent: z.string().default(''),
  projectId: z.string().default(''),
  build: z.record(z.string(), z.unknown()).default({}),
});
const nameSchema = z.object({
  name: z.string().default(''),
  projectId: z.string().default(''),
  id: z.string().default(''),
});
const listSchema = z.object({
  parent: z.string().default(''),
  projectId: z.string().default(''),
  pageSize: z.number().default(0),
  pageToken: z.string().default(''),
  filter: z.string().default(''),
});

const maxPageSize = 1000;
const defaultPageSize = 50;

/** `google.devtools.cloudbuild.v1.CloudBuild`: CreateBuild, GetBuild, ListBuilds, CancelBuild, RetryBuild. */
export function buildService(builds: Builds): UntypedServiceImplementation {
  return {
    CreateBuild: unary((request) => {
      const { build, ...where } = createSchema.parse(request);
      return createBuild(builds, placeOf(where), build);
    }),
    RetryBuild: unary((request) => {
      const { request: build, project, location } = find(builds, nameSchema.parse(request));
      return createBuild(builds, { project, location }, build);
    }),
    GetBuild: unary((request) => toBuild(find(builds, nameSchema.parse(request)))),
    ListBuilds: unary((request) => list(builds, listSchema.parse(request))),
    GetDefaultServiceAccount: unary((request) => {
      const { name } = nameSchema.parse(request);
      const [, project] = /^projects\/([^/]+)\/locations\/[^/]+\/defaultServiceAccount$/.exec(name) ?? [];
      if (project === undefined) throw refused(`malformed name '${name}'`);
      const serviceAccountEmail = `projects/${project}/serviceAccounts/${defaultServiceAccountOf(project)}`;
      return { name, serviceAccountEmail };
    }),
    CancelBuild: unary(async (request) => {
      const record = find(builds, nameSchema.parse(request));
      if (isOver(record)) {
        throw new RpcError(
          status.FAILED_PRECONDITION,
          `failed precondition: cannot cancel build in status ${record.status}`,
        );
      }
      await builds.cancel(record);
      return toBuild(record);
    }),
  };
}

/** Checks, plans and queues a build; answers its operation. Throws INVALID_ARGUMENT on what cannot be built here. */
export async function createBuild(
  builds: Builds,
  where: { project: string; location: string },
  message: Record<string, unknown>,
): Promise<Operation> {
  const place = { ...where, id: randomUUID() };
  const order = planBuild(readBuild(message), place);
  if (builds.isFull()) throw new RpcError(status.RESOURCE_EXHAUSTED, 'Too many builds are queued.');
  const record: BuildRecord = {
    ...place,
    operation: operationName(place),
    request: message,
    shown: messageWith(message, order),
    steps: order.steps.map(() => ({ status: 'QUEUED' })),
    timing: {},
    tags: order.tags,
    wanted: order.images,
    ...(order.source && { source: order.source }),
    ...(order.logs && logFieldsOf(order.logs, place.id, builds.host())),
    timeoutMs: order.timeoutMs,
    queueTtlMs: order.queueTtlMs,
    status: 'QUEUED',
    images: [],
    createTime: Date.now(),
  };
  return builds.start(record, order);
}

function logFieldsOf({ bucket, folder }: NonNullable<BuildOrder['logs']>, id: string, host: string) {
  const logsBucket = folder === '' ? bucket : `${bucket}/${folder}`;
  const object = encodeURIComponent(logObjectOf(logsBucket, id).object);
  return { logsBucket, logUrl: `http://${host}/storage/v1/b/${bucket}/o/${object}?alt=media` };
}

function find(builds: Builds, { name, projectId, id }: z.output<typeof nameSchema>): BuildRecord {
  const match = /^projects\/([^/]+)\/(?:locations\/([^/]+)\/)?builds\/([^/]+)$/.exec(name);
  if (name && !match) throw refused(`malformed build name '${name}'`);
  const [, project = projectId, location = 'global', build = id] = match ?? [];
  const record = builds
    .all()
    .find((one) => one.id === build && one.project === project && one.location === location);
  if (!record) throw new RpcError(status.NOT_FOUND, `build not found: ${name || `${projectId}/${id}`}`);
  return record;
}

function list(builds: Builds, request: z.output<typeof listSchema>): object {
  const { project, location } = placeOf(request);
  const matches = compileBuildFilter(request.filter);
  const newestFirst = builds
    .all()
    .filter((one) => one.project === project && one.location === location && matches(one))
    .reverse();
  const start = request.pageToken ? newestFirst.findIndex(({ id }) => id === request.pageToken) + 1 : 0;
  if (request.pageToken && start === 0) throw refused('page_token is invalid');
  const end = start + Math.min(request.pageSize || defaultPageSize, maxPageSize);
  const page = newestFirst.slice(start, end);
  return { builds: page.map(toBuild), nextPageToken: end < newestFirst.length ? page.at(-1)?.id : '' };
}

function placeOf({ parent, projectId }: { parent: string; projectId: string }): {
  project: string;
  location: string;
} {
  const match = /^projects\/([^/]+)\/locations\/([^/]+)$/.exec(parent);
  if (parent && !match) throw refused(`malformed parent '${parent}'`);
  const [, project = projectId, location = 'global'] = match ?? [];
  if (!/^[a-z0-9][a-z0-9.:-]*$/.test(project)) throw refused(`malformed project '${project}'`);
  if (!/^[a-z0-9-]+$/.test(location)) throw refused(`malformed location '${location}'`);
  return { project, location };
}

function operationName({ project, location, id }: Pick<BuildRecord, 'project' | 'location' | 'id'>): string {
  return location === 'global'
    ? `operations/build/${project}/${Buffer.from(id).toString('base64url')}`
    : `projects/${project}/locations/${location}/operations/${id}`;
}
