import { z } from 'zod';

/**
 * What a client may say of an instance. A setting that the local cloud cannot keep and that changes nothing a service
 * could see (backups, disks, maintenance) is taken and shown; one that would change what a service sees is refused.
 */
const text = z.string().max(1024);

const shown = z.looseObject({});
const settings = z.strictObject({
  kind: z.literal('sql#settings').optional(),
  tier: text.optional(),
  edition: z.enum(['ENTERPRISE', 'ENTERPRISE_PLUS']).optional(),
  pricingPlan: z.enum(['PER_USE', 'PACKAGE']).optional(),
  replicationType: z.enum(['SYNCHRONOUS', 'ASYNCHRONOUS']).optional(),
  activationPolicy: z.literal('ALWAYS', 'the local cloud runs instances on demand: ALWAYS only').optional(),
  availabilityType: z.enum(['ZONAL', 'REGIONAL']).optional(),
  dataDiskSizeGb: z.union([z.string().regex(/^\d+$/), z.int()]).optional(),
  dataDiskType: z.enum(['PD_SSD', 'PD_HDD', 'HYPERDISK_BALANCED']).optional(),
  storageAutoResize: z.boolean().optional(),
  storageAutoResizeLimit: z.union([z.string().regex(/^\d+$/), z.int()]).optional(),
  backupConfiguration: shown.optional(),
  ipConfiguration: shown.optional(),
  locationPreference: shown.optional(),
  maintenanceWindow: shown.optional(),
  insightsConfig: shown.optional(),
  deletionProtectionEnabled: z.boolean().optional(),
  retainBackupsOnDelete: z.boolean().optional(),
  userLabels: z.record(z.string(), z.string()).optional(),
});

const password = z
  .string()
  .max(1024)
  .regex(/^[^\0]*$/, 'must not hold a NUL character');

/** `sql.instances.insert` */
export const instanceBody = z.strictObject({
  kind: z.literal('sql#instance').optional(),
  name: text,
  project: text.optional(),
  region: text.optional(),
  gceZone: text.optional(),
  databaseVersion: text.optional(),
  rootPassword: password.optional(),
  instanceType: z.literal('CLOUD_SQL_INSTANCE').optional(),
  backendType: z.literal('SECOND_GEN').optional(),
  settings: settings.optional(),
});
export type InstanceBody = z.infer<typeof instanceBody>;

/** What Postgres takes as a name: 63 bytes of anything but NUL. */
const identifier = z
  .string()
  .min(1)
  .refine((name) => Buffer.byteLength(name) <= 63, 'is longer than 63 bytes')
  .refine((name) => !name.includes('\0'), 'must not hold a NUL character');

/** `sql.databases.insert` */
export const databaseBody = z.strictObject({
  kind: z.literal('sql#database').optional(),
  name: identifier,
  project: text.optional(),
  instance: text.optional(),
  charset: z
    .string()
    .regex(/^[\w-]*$/, 'is no name of a character set')
    .optional(),
  collation: z
    .string()
    .regex(/^[\w.@-]*$/, 'is no name of a collation')
    .optional(),
});

/** `sql.users.insert` and `update` */
export const userBody = z.strictObject({
  kind: z.literal('sql#user').optional(),
  name: identifier.optional(),
  project: text.optional(),
  instance: text.optional(),
  host: z.literal('', 'PostgreSQL has no hosts of users').optional(),
  password: password.optional(),
  type: z.literal('BUILT_IN', 'the local cloud signs in users by password only (BUILT_IN)').optional(),
});
