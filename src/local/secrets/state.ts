import { z } from 'zod';
import { type Collection, openCollection } from '../journal/collection.ts';
import type { Journal } from '../journal/journal.ts';

const replicationSchema = z.union([
  z.strictObject({ automatic: z.strictObject({}) }),
  z.strictObject({
    userManaged: z.strictObject({
      replicas: z.array(z.strictObject({ location: z.string().min(1).max(64) })).min(1),
    }),
  }),
]);

/** What a client may set of a secret. */
export const secretFields = {
  replication: replicationSchema.optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  /** Other names of versions, beside `latest`. */
  versionAliases: z.record(z.string(), z.string().regex(/^\d+$/)).optional(),
};

const versionSchema = z.object({
  /** ISO 8601, as are all times here. */
  createTime: z.string(),
  destroyTime: z.string().optional(),
  state: z.enum(['ENABLED', 'DISABLED', 'DESTROYED']),
  /** Gone when it is destroyed. */
  data: z.base64().optional(),
  /** Whether whoever added it sent a checksum, which every answer then carries. */
  checked: z.boolean(),
  etag: z.string(),
});

const secretSchema = z.object({
  project: z.string(),
  id: z.string(),
  createTime: z.string(),
  etag: z.string(),
  ...secretFields,
  replication: replicationSchema,
  /** The first is version 1; none is ever taken out. */
  versions: z.array(versionSchema),
});

export type Version = z.infer<typeof versionSchema>;
export type Secret = z.infer<typeof secretSchema>;
export type SecretsState = Collection<Secret>;

export function openSecretsState(journal: Journal): SecretsState {
  return openCollection({ journal, name: 'secrets', schema: secretSchema, keyOf: keyOfSecret });
}

export function keyOfSecret({ project, id }: Pick<Secret, 'project' | 'id'>): string {
  return `${project}/${id}`;
}
