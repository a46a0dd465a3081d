import { status } from '@grpc/grpc-js';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';

const int64 = z.union([z.string(), z.number()]).transform(String);
const durationSchema = z
  .object({
    seconds: z.union([z.string(), z.number()]).transform(Number).default(0),
    nanos: z.number().default(0),
  })
  .transform(({ seconds, nanos }) => seconds * 1000 + nanos / 1e6);
const env = z.array(z.string().max(65_536)).max(100).default([]);
/** Nothing here gives a build more or less of the machine: taken, and without an effect. */
const noEffect = z.unknown();

const stepSchema = z.strictObject({
  name: z.string().min(1).max(1000),
  entrypoint: z.string().max(4000).optional(),
  args: z.array(z.string().max(10_000)).max(100).default([]),
  script: z.string().max(100_000).optional(),
  env,
  dir: z.string().max(1000).default(''),
  id: z.string().max(1000).default(''),
  waitFor: z.array(z.string()).max(300).default([]),
  timeout: durationSchema.optional(),
  allowFailure: z.boolean().default(false),
  allowExitCodes: z.array(z.number().int()).max(100).default([]),
  automapSubstitutions: z.boolean().optional(),
});

const optionsSchema = z.strictObject({
  logging: z.enum(['LEGACY', 'GCS_ONLY', 'CLOUD_LOGGING_ONLY', 'STACKDRIVER_ONLY', 'NONE']).default('LEGACY'),
  substitutionOption: z.literal('ALLOW_LOOSE').optional(),
  automapSubstitutions: z.boolean().default(false),
  env,
  logStreamingOption: z.enum(['STREAM_ON', 'STREAM_OFF']).optional(),
  defaultLogsBucketBehavior: z.enum(['REGIONAL_USER_OWNED_BUCKET', 'LEGACY_BUCKET']).optional(),
  machineType: noEffect.optional(),
  diskSizeGb: noEffect.optional(),
});

const storageSourceSchema = z.strictObject({
  bucket: z.string().min(1),
  object: z.string().min(1),
  generation: int64.optional(),
  sourceFetcher: z.enum(['GSUTIL', 'GCS_FETCHER']).optional(),
});

/** The Build message as far as the local cloud honours it. Any other field that is set is refused by its name. */
const buildSchema = z.strictObject({
  source: z.strictObject({ storageSource: storageSourceSchema }).optional(),
  steps: z
    .array(stepSchema)
    .min(1, 'no build steps are specified')
    .max(300, 'cannot specify more than 300 build steps'),
  images: z.array(z.string().min(1).max(1000)).max(100).default([]),
  artifacts: z
    .strictObject({
      images: z.array(z.string().min(1).max(1000)).max(100).default([]),
      objects: z
        .strictObject({
          location: z.string().max(4000),
          paths: z.array(z.string().regex(/^\S+$/, 'must not contain whitespace')).min(1).max(100),
        })
        .optional(),
    })
    .default({ images: [] }),
  tags: z.array(z.string().max(1000)).max(64).default([]),
  substitutions: z.record(z.string().max(100), z.string().max(4000)).default({}),
  timeout: durationSchema.optional(),
  queueTtl: durationSchema.optional(),
  logsBucket: z.string().default(''),
  serviceAccount: z.string().default(''),
  options: optionsSchema.prefault({}),
});

export type BuildRequest = z.output<typeof buildSchema>;
export type StepRequest = BuildRequest['steps'][number];

/** Throws INVALID_ARGUMENT that names the field. */
export function readBuild(message: unknown): BuildRequest {
  const parsed = buildSchema.safeParse(withoutDefaults(message));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = ['build', ...(issue?.path ?? [])].join('.');
  if (issue?.code === 'unrecognized_keys') {
    throw refused(
      `the local cloud does not support ${issue.keys.map((key) => `${where}.${key}`).join(', ')}`,
    );
  }
  if (issue?.code === 'invalid_value' && issue.values.length > 0) {
    throw refused(`the local cloud supports only ${issue.values.join(' or ')} as ${where}`);
  }
  throw refused(`${where}: ${issue?.message ?? 'is malformed'}`);
}

/** What the service fills in itself; a build that was read and is sent back still has it. */
const outputOnly: ReadonlySet<string> = new Set([
  ...[
    'name',
    'id',
    'projectId',
    'status',
    'statusDetail',
    'results',
    'createTime',
    'startTime',
    'finishTime',
  ],
  ...['sourceProvenance', 'buildTriggerId', 'logUrl', 'timing', 'approval', 'warnings', 'failureInfo'],
]);

/** Fields at their protobuf default, and those of the output, are as good as absent. */
function withoutDefaults(message: unknown): unknown {
  const set = withoutDefaultsIn(message);
  if (typeof set !== 'object' || set === null) return set;
  return Object.fromEntries(Object.entries(set).filter(([key]) => !outputOnly.has(key)));
}

function withoutDefaultsIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaultsIn);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const set = Object.entries(value)
    .map(([key, inner]): [string, unknown] => [key, withoutDefaultsIn(inner)])
    .filter(([, inner]) => !isDefault(inner));
  return Object.fromEntries(set);
}

const defaultEnumNames: ReadonlySet<unknown> = new Set([
  ...['STATUS_UNKNOWN', 'LOGGING_UNSPECIFIED', 'MUST_MATCH', 'STREAM_DEFAULT', 'NOT_VERIFIED', 'UNSPECIFIED'],
  ...['DEFAULT_LOGS_BUCKET_BEHAVIOR_UNSPECIFIED', 'SOURCE_FETCHER_UNSPECIFIED'],
]);

function isDefault(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return defaultEnumNames.has(value);
}

/** INVALID_ARGUMENT, in the words with which Cloud Build begins it. */
export function refused(message: string): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, `invalid build: ${message}`);
}
