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

export type BuildFailure = z.output<typeof failureSchema>;

/** A build as it is kept: what was asked for, and what became of it. */
export const recordSchema = z.object({
  id: z.string(),
  project: z.string(),
  location: z.string(),
  operation: z.string(),
  /** The Build message as the caller sent it. */
  request: z.record(z.string(), z.unknown()),
  logsBucket: z.string().optional(),
  /** Where the log object can be read; absent when there is none. */
  logUrl: z.string().optional(),
  timeoutMs: z.number(),
  status: z.enum(statuses),
  statusDetail: z.string().optional(),
  failure: failureSchema.optional(),
  images: z.array(z.object({ name: z.string(), digest: z.string() })),
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
  const { id, project, status, statusDetail, failure, images, logsBucket, logUrl } = record;
  const time = (millis: number | undefined) => millis !== undefined && toTimestamp(new Date(millis));
  const [createTime, startTime, finishTime] = [record.createTime, record.startTime, record.finishTime].map(
    time,
  );
  return {
    ...record.request,
    name: buildName(record),
    id,
    projectId: project,
    status,
    timeout: { seconds: String(Math.floor(record.timeoutMs / 1000)), nanos: (record.timeoutMs % 1000) * 1e6 },
    createTime,
    ...(startTime && { startTime }),
    ...(finishTime && { finishTime }),
    ...(logsBucket && { logsBucket: `gs://${logsBucket}` }),
    ...(logUrl && { logUrl }),
    ...(statusDetail && { statusDetail }),
    ...(failure && { failureInfo: failure }),
    ...(status === 'SUCCESS' && { results: { images, buildStepImages: [''] } }),
  };
}
