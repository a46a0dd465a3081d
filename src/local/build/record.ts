import { z } from 'zod';
import { toTimestamp } from '../grpc.ts';

const statuses = [
  'QUEUED',
  'WORKING',
  'SUCCESS',
  'FAILURE',
  'INTERNAL_ERROR',
  'TIMEOUT',
  'CANCELLED',
  'EXPIRED',
] as const;

const failureSchema = z.object({
  type: z.enum([
    'PUSH_FAILED',
    'PUSH_IMAGE_NOT_FOUND',
    'USER_BUILD_STEP',
    'FETCH_SOURCE_FAILED',
    'LOGGING_FAILURE',
  ]),
  detail: z.string(),
});

const spanSchema = z.object({ start: z.number(), end: z.number().optional() });
const stepSchema = z.object({
  status: z.enum(['QUEUED', 'WORKING', 'SUCCESS', 'FAILURE', 'TIMEOUT', 'CANCELLED']),
  span: spanSchema.optional(),
  exitCode: z.number().optional(),
});

export type BuildFailure = z.output<typeof failureSchema>;

/** A build as it is kept: what was asked for, and what became of it. */
export const recordSchema = z.object({
  id: z.string(),
  project: z.string(),
  location: z.string(),
  operation: z.string(),
  /** The Build message as the caller sent it. */
  request: z.record(z.string(), z.unknown()),
  /** The same with its substitutions made, as it is shown. */
  shown: z.looseObject({ steps: z.array(z.record(z.string(), z.unknown())).default([]) }),
  source: z.object({ bucket: z.string(), object: z.string(), generation: z.string().optional() }).optional(),
  tags: z.array(z.string()).default([]),
  /** The images that it is to push. */
  wanted: z.array(z.string()).default([]),
  /** In the order of the request's steps. */
  steps: z.array(stepSchema).default([]),
  /** How long each phase took: FETCHSOURCE, BUILD, PUSH. */
  timing: z.record(z.string(), spanSchema).default({}),
  /** `BUCKET[/FOLDER]` of the log object. */
  logsBucket: z.string().optional(),
  /** Where the log object can be read; absent when there is none. */
  logUrl: z.string().optional(),
  timeoutMs: z.number(),
  queueTtlMs: z.number().default(3600_000),
  status: z.enum(statuses),
  statusDetail: z.string().optional(),
  failure: failureSchema.optional(),
  images: z.array(z.object({ name: z.string(), digest: z.string() })),
  artifacts: z.object({ manifest: z.string(), count: z.number() }).optional(),
  createTime: z.number(),
  startTime: z.number().optional(),
  finishTime: z.number().optional(),
});

export type BuildRecord = z.output<typeof recordSchema>;

export function isOver(record: BuildRecord): boolean {
  return record.status !== 'QUEUED' && record.status !== 'WORKING';
}

function buildName({ project, location, id }: BuildRecord): string {
  return `projects/${project}/locations/${location}/builds/${id}`;
}

/** The record as a `google.devtools.cloudbuild.v1.Build`. */
export function toBuild(record: BuildRecord): object {
  const { id, project, status, statusDetail, failure, logsBucket, logUrl, shown } = record;
  const time = (millis: number | undefined) => millis !== undefined && toTimestamp(new Date(millis));
  const [createTime, startTime, finishTime] = [record.createTime, record.startTime, record.finishTime].map(
    time,
  );
  return {
    ...shown,
    name: buildName(record),
    id,
    projectId: project,
    status,
    steps: shown.steps.map((step, index) => ({ ...step, ...stepState(record.steps[index]) })),
    timeout: toDuration(record.timeoutMs),
    queueTtl: toDuration(record.queueTtlMs),
    ...(record.source && { sourceProvenance: { resolvedStorageSource: record.source } }),
    createTime,
    ...(startTime && { startTime }),
    ...(finishTime && { finishTime }),
    timing: Object.fromEntries(
      Object.entries(record.timing).map(([phase, span]) => [phase, toTimeSpan(span)]),
    ),
    ...(logsBucket && { logsBucket: `gs://${logsBucket}` }),
    ...(logUrl && { logUrl }),
    ...(statusDetail && { statusDetail }),
    ...(failure && { failureInfo: failure }),
    ...(status === 'SUCCESS' && { results: resultsOf(record) }),
  };
}

function stepState(step: BuildRecord['steps'][number] | undefined): object {
  if (!step) return {};
  const { status, span, exitCode } = step;
  return {
    status,
    ...(span && { timing: toTimeSpan(span), pullTiming: toTimeSpan({ start: span.start, end: span.start }) }),
    ...(exitCode !== undefined && { exitCode }),
  };
}

function resultsOf({ images, artifacts, steps }: BuildRecord): object {
  return {
    images,
    // The builders are no images here: they have no digests.
    buildStepImages: steps.map(() => ''),
    ...(artifacts && { artifactManifest: artifacts.manifest, numArtifacts: String(artifacts.count) }),
  };
}

function toTimeSpan({ start, end }: z.output<typeof spanSchema>): object {
  return {
    startTime: toTimestamp(new Date(start)),
    ...(end !== undefined && { endTime: toTimestamp(new Date(end)) }),
  };
}

function toDuration(millis: number): object {
  return { seconds: String(Math.floor(millis / 1000)), nanos: Math.round((millis % 1000) * 1e6) };
}
