import { parseReference } from './image-store.ts';
import { type BuildRequest, refused } from './schema.ts';
import { planSteps } from './steps/plan.ts';
import type { PlannedStep } from './steps/planned.ts';
import { type BuildPlace, Substitution, substitutionsOf } from './substitutions.ts';

/** What a build has to do, checked and with its substitutions made. */
export type BuildOrder = {
  /** undefined: it begins with an empty workspace. */
  source?: { bucket: string; object: string; generation?: string };
  steps: PlannedStep[];
  /** What is to be pushed and reported. */
  images: string[];
  tags: string[];
  /** Files of the workspace, as globs, that are stored in the end; the prefix ends with `/` or is empty. */
  objects?: { bucket: string; prefix: string; paths: string[] };
  timeoutMs: number;
  /** How long it may wait for its turn. */
  queueTtlMs: number;
  /** Where `FOLDER/log-ID.txt` grows; undefined: no log object. */
  logs?: { bucket: string; folder: string };
  cloudLogging: boolean;
};

const defaultTimeoutMs = 600_000;
const maxTimeoutMs = 24 * 3600_000;
const defaultQueueTtlMs = 3600_000;

/** Throws INVALID_ARGUMENT on what cannot be built here, or by Cloud Build either. */
export function planBuild(build: BuildRequest, place: BuildPlace): BuildOrder {
  const { options } = build;
  checkLogsOwner(build);
  const loose = options.substitutionOption === 'ALLOW_LOOSE';
  const substitution = new Substitution(substitutionsOf(build, place), { loose });
  const steps = planSteps(build, substitution);
  const images = imagesOf(build).map(substitution.fill);
  const misnamed = images.find((name) => !parseReference(name));
  if (misnamed !== undefined) throw refused(`invalid image name "${misnamed}"`);
  const tags = build.tags.map(substitution.fill);
  const badTag = tags.find((tag) => !/^\w[\w.-]{0,127}$/.test(tag));
  if (badTag !== undefined) throw refused(`invalid build tag "${badTag}"`);
  const objects = objectsOf(build, substitution);
  const logs = logsOf(build, place, substitution);
  const usedByScripts = options.automapSubstitutions || build.steps.some((step) => step.automapSubstitutions);
  if (!usedByScripts) substitution.checkAllUsed(Object.keys(build.substitutions));
  const { bucket, object, generation } = build.source?.storageSource ?? {};
  return {
    ...(bucket !== undefined &&
      object !== undefined && {
        source: { bucket, object, ...(generation && generation !== '0' && { generation }) },
      }),
    steps,
    images,
    tags,
    ...(objects && { objects }),
    timeoutMs: timeoutOf(build),
    queueTtlMs: build.queueTtl ?? defaultQueueTtlMs,
    ...(logs && { logs }),
    cloudLogging: ['LEGACY', 'CLOUD_LOGGING_ONLY', 'STACKDRIVER_ONLY'].includes(options.logging),
  };
}

function imagesOf({ images, artifacts }: BuildRequest): string[] {
  if (images.length > 0 && artifacts.images.length > 0 && images.join('\n') !== artifacts.images.join('\n'))
    throw refused('invalid .artifacts field: cannot specify different .images and .artifacts.images');
  return images.length > 0 ? images : artifacts.images;
}

function timeoutOf({ timeout = defaultTimeoutMs, steps }: BuildRequest): number {
  if (timeout <= 0 || timeout > maxTimeoutMs) throw refused('build.timeout must be between 0 and 24 h');
  const long = steps.findIndex((step) => (step.timeout ?? 0) > timeout);
  if (long >= 0) {
    throw refused(
      `invalid .steps field: invalid .timeout in build step #${long}: build step timeout ${steps[long]?.timeout} ms must be <= build timeout ${timeout} ms`,
    );
  }
  return timeout;
}

function objectsOf({ artifacts }: BuildRequest, { fill }: Substitution): BuildOrder['objects'] {
  if (!artifacts.objects) return undefined;
  const location = fill(artifacts.objects.location);
  const [, bucket, folder = ''] = /^gs:\/\/([^/]+)\/?(.*)$/.exec(location) ?? [];
  if (bucket === undefined) {
    throw refused(
      `invalid .artifacts field: invalid .artifacts.location value "${location}"; Google Cloud Storage URLs must begin with 'gs://'`,
    );
  }
  const paths = artifacts.objects.paths.map(fill);
  const outside = paths.find((glob) => glob.split('/').includes('..'));
  if (outside !== undefined) throw refused(`invalid .artifacts field: "${outside}" leaves the workspace`);
  return { bucket, prefix: folder === '' || folder.endsWith('/') ? folder : `${folder}/`, paths };
}

function checkLogsOwner({ serviceAccount, logsBucket, options }: BuildRequest): void {
  const ownsItsLogs =
    logsBucket !== '' ||
    options.defaultLogsBucketBehavior === 'REGIONAL_USER_OWNED_BUCKET' ||
    ['CLOUD_LOGGING_ONLY', 'STACKDRIVER_ONLY', 'NONE'].includes(options.logging);
  if (serviceAccount && !ownsItsLogs) {
    throw refused(
      "if 'build.service_account' is specified, the build must either (a) specify 'build.logs_bucket', (b) use the REGIONAL_USER_OWNED_BUCKET build.options.default_logs_bucket_behavior option, or (c) use either CLOUD_LOGGING_ONLY / NONE logging options",
    );
  }
}

function logsOf(
  { logsBucket, options }: BuildRequest,
  { project, location }: BuildPlace,
  { fill }: Substitution,
): BuildOrder['logs'] {
  if (['CLOUD_LOGGING_ONLY', 'STACKDRIVER_ONLY', 'NONE'].includes(options.logging)) return undefined;
  const [bucket, ...folders] = fill(logsBucket)
    .replace(/^gs:\/\//, '')
    .split('/')
    .filter((name) => name !== '');
  if (bucket !== undefined) return { bucket, folder: folders.join('/') };
  return {
    bucket: location === 'global' ? `${project}_cloudbuild` : `${project}_${location}_cloudbuild`,
    folder: '',
  };
}
