import { parseArgs } from 'node:util';
import { status } from '@grpc/grpc-js';
import { z } from 'zod';
import { RpcError } from '../grpc.ts';
import { parseReference } from './image-store.ts';
import { substitute } from './substitutions.ts';

const int64 = z.union([z.string(), z.number()]).transform(String);
const durationSchema = z.object({
  seconds: z.union([z.string(), z.number()]).transform(Number).default(0),
  nanos: z.number().default(0),
});

/** The Build message as far as the local cloud honours it. Any other field that is set is refused by its name. */
const buildSchema = z.strictObject({
  source: z.strictObject({
    storageSource: z.strictObject({
      bucket: z.string().min(1),
      object: z.string().min(1),
      generation: int64.optional(),
      sourceFetcher: z.enum(['GSUTIL', 'GCS_FETCHER']).optional(),
    }),
  }),
  steps: z
    .array(
      z.strictObject({
        name: z.literal('gcr.io/k8s-skaffold/pack'),
        entrypoint: z.literal('pack'),
        args: z.array(z.string()).default([]),
        id: z.string().optional(),
      }),
    )
    .length(1, 'exactly one step, the buildpacks step, is supported'),
  images: z.array(z.string().min(1)).max(100).default([]),
  tags: z
    .array(z.string().regex(/^[\w][\w.-]{0,127}$/))
    .max(64)
    .default([]),
  substitutions: z.record(z.string().regex(/^_[A-Z0-9_]{1,99}$/), z.string().max(4000)).default({}),
  timeout: durationSchema.optional(),
  logsBucket: z.string().default(''),
  serviceAccount: z.string().default(''),
  options: z
    .strictObject({
      logging: z.enum(['LEGACY', 'GCS_ONLY', 'CLOUD_LOGGING_ONLY', 'NONE']).default('LEGACY'),
      substitutionOption: z.literal('ALLOW_LOOSE').optional(),
      logStreamingOption: z.enum(['STREAM_ON', 'STREAM_OFF']).optional(),
      defaultLogsBucketBehavior: z.enum(['REGIONAL_USER_OWNED_BUCKET', 'LEGACY_BUCKET']).optional(),
    })
    .default({ logging: 'LEGACY' }),
});

export type BuildRequest = z.output<typeof buildSchema>;

/** What a build has to do, checked and with its substitutions made. */
export type BuildOrder = {
  source: { bucket: string; object: string; generation?: string };
  /** The image that the buildpacks step makes. */
  image: string;
  /** What is to be pushed and reported. */
  images: string[];
  timeoutMs: number;
  /** Where `log-ID.txt` grows; undefined: no log object. */
  logsBucket?: string;
  cloudLogging: boolean;
};

export type BuildPlace = { project: string; location: string; id: string };

const defaultTimeoutMs = 600_000;
const maxTimeoutMs = 24 * 3600_000;

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

export function planBuild(build: BuildRequest, place: BuildPlace): BuildOrder {
  const { source, options, timeout } = build;
  const fill = (text: string) => fillIn(text, build, place);
  const [step] = build.steps;
  const image = parsePackArgs((step?.args ?? []).map(fill));
  const images = build.images.map(fill);
  const misnamed = [image, ...images].find((name) => !parseReference(name));
  if (misnamed !== undefined) throw refused(`invalid image name '${misnamed}'`);
  const logsBucket = logsBucketOf(build, place);
  if (build.serviceAccount && !build.logsBucket && !ownsItsLogs(options)) {
    throw refused(
      "if 'build.service_account' is specified, the build must either (a) specify 'build.logs_bucket', (b) use the REGIONAL_USER_OWNED_BUCKET build.options.default_logs_bucket_behavior option, or (c) use either CLOUD_LOGGING_ONLY / NONE logging options",
    );
  }
  const timeoutMs = timeout ? timeout.seconds * 1000 + timeout.nanos / 1e6 : defaultTimeoutMs;
  if (timeoutMs <= 0 || timeoutMs > maxTimeoutMs) throw refused('build.timeout must be between 0 and 24 h');
  const { bucket, object, generation } = source.storageSource;
  return {
    source: { bucket, object, ...(generation && generation !== '0' && { generation }) },
    image,
    images,
    timeoutMs,
    ...(logsBucket && { logsBucket }),
    cloudLogging: options.logging === 'LEGACY' || options.logging === 'CLOUD_LOGGING_ONLY',
  };
}

function fillIn(
  text: string,
  { substitutions }: BuildRequest,
  { project, location, id }: BuildPlace,
): string {
  try {
    return substitute(text, { ...substitutions, PROJECT_ID: project, BUILD_ID: id, LOCATION: location });
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

function ownsItsLogs({ logging, defaultLogsBucketBehavior }: BuildRequest['options']): boolean {
  return (
    defaultLogsBucketBehavior === 'REGIONAL_USER_OWNED_BUCKET' ||
    logging === 'CLOUD_LOGGING_ONLY' ||
    logging === 'NONE'
  );
}

function logsBucketOf(
  { logsBucket, options }: BuildRequest,
  { project, location }: BuildPlace,
): string | undefined {
  if (options.logging === 'CLOUD_LOGGING_ONLY' || options.logging === 'NONE') return undefined;
  const given = logsBucket.replace(/^gs:\/\//, '').replace(/\/$/, '');
  if (given.includes('/')) throw refused('the local cloud does not support a folder in build.logs_bucket');
  if (given) return given;
  return location === 'global' ? `${project}_cloudbuild` : `${project}_${location}_cloudbuild`;
}

/** Takes `build IMAGE --builder gcr.io/buildpacks/builder:latest --network cloudbuild --publish`, and nothing else. */
function parsePackArgs(args: string[]): string {
  const { values, positionals } = readArgs(args);
  const [command, image, ...more] = positionals;
  if (command !== 'build')
    throw refused(`the local cloud supports only 'pack build', not 'pack ${command ?? ''}'`);
  if (!image) throw refused("'pack build' needs the name of an image");
  if (more.length > 0) throw refused(`the local cloud does not support the argument '${more[0]}' of pack`);
  for (const [option, only] of [
    ['builder', 'gcr.io/buildpacks/builder:latest'],
    ['network', 'cloudbuild'],
  ] as const) {
    const value = values[option] ?? only;
    if (value !== only) throw refused(`the local cloud supports only --${option} ${only}, not '${value}'`);
  }
  return image;
}

function readArgs(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { builder: { type: 'string' }, network: { type: 'string' }, publish: { type: 'boolean' } },
    });
  } catch (error) {
    throw refused(`pack: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Fields at their protobuf default are as good as absent, however the message was decoded. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const set = Object.entries(value)
    .map(([key, inner]): [string, unknown] => [key, withoutDefaults(inner)])
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

export function refused(message: string): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, `invalid build: ${message}`);
}
