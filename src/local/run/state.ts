import { z } from 'zod';
import type { RevisionRef } from '../contracts.ts';
import { openCollection } from '../journal/collection.ts';
import type { Journal } from '../journal/journal.ts';
import type { ServiceName } from './names.ts';
import { policySchema } from './policy.ts';
import { specSchema } from './schema.ts';

const conditionSchema = z.object({
  type: z.string(),
  state: z.enum(['CONDITION_PENDING', 'CONDITION_RECONCILING', 'CONDITION_FAILED', 'CONDITION_SUCCEEDED']),
  message: z.string().optional(),
  /** CommonReason */
  reason: z.string().optional(),
  revisionReason: z.string().optional(),
  /** It informs, and has no part in Ready. */
  severity: z.literal('INFO').optional(),
  /** ISO 8601, as are all times here. */
  since: z.string(),
});

const revisionSchema = z.object({
  id: z.string(),
  uid: z.string(),
  /** Counts the revisions of the service; the newest ready one is LATEST. */
  number: z.int(),
  createTime: z.string(),
  updateTime: z.string(),
  /** The configuration as it was asked for, with defaults: a revision never changes. */
  template: specSchema.shape.template,
  /** `REPO@sha256:…`, or nothing when no such image was found. */
  image: z.string().optional(),
  outcome: z.discriminatedUnion('state', [
    z.object({ state: z.literal('pending') }),
    z.object({ state: z.literal('ready') }),
    z.object({ state: z.literal('failed'), reason: z.string(), message: z.string() }),
  ]),
  conditions: z.array(conditionSchema),
});

const targetSchema = z.object({
  type: z.enum(['TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION']),
  revision: z.string(),
  percent: z.int(),
  tag: z.string().optional(),
});

const serviceSchema = z.object({
  project: z.string(),
  location: z.string(),
  service: z.string(),
  uid: z.string(),
  generation: z.int(),
  observedGeneration: z.int(),
  /** Goes up with every accepted write; the etag is made of it. */
  version: z.int(),
  createTime: z.string(),
  updateTime: z.string(),
  spec: specSchema,
  /** Nothing until somebody sets one. */
  policy: policySchema.optional(),
  lastNumber: z.int(),
  latestCreated: z.string(),
  latestReady: z.string().optional(),
  reconciling: z.boolean(),
  conditions: z.array(conditionSchema),
  /** What is really routed, LATEST resolved. */
  actual: z.array(targetSchema),
  uri: z.string(),
  tagUris: z.record(z.string(), z.string()),
  /** Operations that have not ended, with the revision that each of them made. */
  pending: z.array(z.object({ operation: z.string(), revision: z.string().optional() })),
});

/** Each revision is a record of its own, so that a write does not grow with the number of revisions. */
const storedRevisionSchema = z.object({ service: z.string(), revision: revisionSchema });

export type Condition = z.infer<typeof conditionSchema>;
export type Revision = z.infer<typeof revisionSchema>;
export type RoutedTarget = z.infer<typeof targetSchema>;
export type Service = z.infer<typeof serviceSchema> & {
  /** The oldest first. */
  revisions: Revision[];
};

/** Services with their revisions. Reads are of memory; each write resolves when it is on the disk. */
export type RunState = {
  /** The oldest first. */
  services(): Service[];
  find(name: ServiceName): Service | undefined;
  /** False once the service is deleted. */
  has(service: Service): boolean;
  revision(service: Service, id: string): Revision | undefined;
  /** Makes a service, new or stored, what `next` says, with a revision that is new. Undone when it cannot be written. */
  replace(service: Service, next: Service, newRevision: Revision | undefined): Promise<void>;
  /** Writes a service that was changed in place, and those of its revisions that were; nothing once it is deleted. */
  save(service: Service, ...changed: Revision[]): Promise<void>;
  remove(service: Service): Promise<void>;
  removeRevision(service: Service, revision: Revision): Promise<void>;
};

export function openRunState(journal: Journal): RunState {
  const services = openCollection<Service>({
    journal,
    name: 'services',
    schema: serviceSchema.transform((service) => withRevisions(service, () => readRevisions(keyOf(service)))),
    keyOf,
    record: ({ revisions: _, ...service }) => service,
  });
  const revisions = openCollection({
    journal,
    name: 'revisions',
    schema: storedRevisionSchema,
    keyOf: ({ service, revision }) => `${service}/${revision.id}`,
    // Nobody asks for most of them.
    lazy: true,
  });
  const stored = Map.groupBy(revisions.keys(), (key) => key.slice(0, key.lastIndexOf('/')));

  const readRevisions = (service: string) =>
    (stored.get(service) ?? []).flatMap((key) => revisions.get(key)?.revision ?? []);
  const saveRevision = (service: Service, revision: Revision) =>
    revisions.put({ service: keyOf(service), revision });
  const dropRevision = (service: Service, revision: Revision, undo?: () => void) =>
    revisions.delete(`${keyOf(service)}/${revision.id}`, undo);

  return {
    services: () => [...services.values()],
    find: (name) => services.get(keyOf(name)),
    has: (service) => services.get(keyOf(service)) === service,
    revision: (service, id) => revisions.get(`${keyOf(service)}/${id}`)?.revision,
    async replace(service, next, newRevision) {
      const former = { ...service };
      Object.assign(service, next);
      await Promise.all([
        services.put(service, () => restore(service, former)),
        newRevision && saveRevision(service, newRevision),
      ]);
    },
    async save(service, ...changed) {
      // Deleted meanwhile: a write would bring it back.
      if (services.get(keyOf(service)) !== service) return;
      await Promise.all([
        services.put(service),
        ...changed.map((revision) => saveRevision(service, revision)),
      ]);
    },
    async remove(service) {
      await Promise.all([
        services.delete(keyOf(service)),
        ...service.revisions.map((revision) => dropRevision(service, revision)),
      ]);
    },
    async removeRevision(service, revision) {
      const before = service.revisions;
      service.revisions = before.filter((each) => each !== revision);
      await dropRevision(service, revision, () => {
        service.revisions = before;
      });
    },
  };
}

function restore(service: Service, former: Service): void {
  for (const key of Object.keys(service)) if (!(key in former)) Reflect.deleteProperty(service, key);
  Object.assign(service, former);
}

/** The service with its revisions, which are read when somebody asks for them. */
function withRevisions(service: z.infer<typeof serviceSchema>, readRevisions: () => Revision[]): Service {
  const become = (self: Service, value: Revision[]) =>
    Object.defineProperty(self, 'revisions', { value, writable: true, enumerable: true });
  return {
    ...service,
    get revisions() {
      return become(this, readRevisions()).revisions;
    },
    set revisions(value) {
      become(this, value);
    },
  };
}

function keyOf({ project, location, service }: ServiceName): string {
  return `${project}/${location}/${service}`;
}

export function refOf({ project, location, service }: Service, { id }: Revision): RevisionRef {
  return { project, location, service, revision: id };
}

export function findRevision(service: Service, id: string): Revision | undefined {
  return service.revisions.find((revision) => revision.id === id);
}

/** The newest ready revision: what LATEST means. */
export function latestReady(service: Service): Revision | undefined {
  return service.revisions
    .filter((revision) => revision.outcome.state === 'ready')
    .reduce<Revision | undefined>(
      (newest, each) => (newest && newest.number > each.number ? newest : each),
      undefined,
    );
}
