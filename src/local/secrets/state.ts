import { join } from 'node:path';
import { z } from 'zod';
import { openSnapshot, type Snapshot } from '../snapshot.ts';

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
export type SecretsState = Snapshot<Secret[]>;

export function openSecretsState(home: string): SecretsState {
  return openSnapshot(join(home, 'secrets.json'), z.array(secretSchema), [], { confidential: true });
}
