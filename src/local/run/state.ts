import { join } from 'node:path';
import { z } from 'zod';
import type { RevisionRef } from '../contracts.ts';
import { openSnapshot, type Snapshot } from '../snapshot.ts';
import { specSchema } from './schema.ts';

const conditionSchema = z.object({
  type: z.string(),
  state: z.enum(['CONDITION_PENDING', 'CONDITION_RECONCILING', 'CONDITION_FAILED', 'CONDITION_SUCCEEDED']),
  message: z.string().optional(),
  /** CommonReason */
  reason: z.string().optional(),
  revisionReason: z.string().optional(),
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
  revisions: z.array(revisionSchema),
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

export type Condition = z.infer<typeof conditionSchema>;
export type Revision = z.infer<typeof revisionSchema>;
export type RoutedTarget = z.infer<typeof targetSchema>;
export type Service = z.infer<typeof serviceSchema>;

export type RunState = Snapshot<Service[]>;

export function openRunState(home: string): RunState {
  return openSnapshot(join(home, 'run.json'), z.array(serviceSchema), []);
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
