import type { google } from '@google-cloud/cloudbuild/build/protos/protos.js';
import { z } from 'zod';
import { apiMethods } from './api-methods.ts';
import { gaxOptions, invoke, quietPause, readMethod, writeMethod } from './call.ts';
import { cloudError } from './errors.ts';
import { leanGax } from './lean-gax.ts';
import { awaitOperation, channelOf } from './operations.ts';
import {
  type BuildPort,
  type BuildRef,
  type BuildRequest,
  type BuildState,
  type Call,
  CloudError,
} from './ports/index.ts';
import { type Adapter, lazyClient, type Session } from './session.ts';

type Build = google.devtools.cloudbuild.v1.IBuild;

const methods = {
  submit: writeMethod('cloudbuild.builds.create', 30_000),
  read: readMethod('cloudbuild.builds.get', 15_000),
  cancel: writeMethod('cloudbuild.builds.cancel', 15_000),
};
/** The operation's metadata, which gax decodes but does not type. */
const buildMetadata = z.object({ build: z.object({ id: z.string().min(1) }) });
const defaultAwaitMs = 20 * 60_000;
const pollMs = 1_000;

export function buildAdapter(session: Session): Adapter<BuildPort> {
  const { waiting } = session;
  const builds = lazyClient(async () => {
    const { CloudBuildClient } = await import('@google-cloud/cloudbuild/build/src/v1/cloud_build_client.js');
    const gax = await leanGax(apiMethods.build);
    return new CloudBuildClient(await session.grpcOptions(), gax);
  });
  const on = { client: builds.client, waiting };
  const onChannel = {
    client: async () => channelOf(await (await builds.client()).cloudBuildStub),
    waiting,
  };

  const port: BuildPort = {
    async submit(request, call) {
      const { project, region } = request;
      const parent = `projects/${project}/locations/${region}`;
      return invoke(on, methods.submit, parent, call, async (client, limits) => {
        const [operation] = await client.createBuild(
          { parent, projectId: project, build: toBuild(request) },
          gaxOptions(limits),
        );
        const metadata = buildMetadata.safeParse(operation.metadata);
        const about = { method: methods.submit.name, resource: parent };
        if (!metadata.success) throw cloudError('outcome-unknown', 'the answer names no build', about);
        return { id: metadata.data.build.id, project, region, operation: operation.name ?? '' };
      });
    },

    read: (ref, call) => read(ref, call),

    async await(ref, call) {
      const deadline = performance.now() + (call.timeoutMs ?? defaultAwaitMs);
      const left = () => deadline - performance.now();
      try {
        await awaitOperation(onChannel, ref.operation, { ...call, timeoutMs: left() });
      } catch (error) {
        // Who may not read operations may still read the build.
        if (!(error instanceof CloudError) || error.kind === 'aborted') throw error;
      }
      for (;;) {
        const state = await read(ref, { signal: call.signal });
        if (isOver(state) || left() <= 0) return state;
        await waiting.track(quietPause(Math.min(pollMs, left()), call.signal));
      }
    },

    async cancel(ref, call) {
      await invoke(on, methods.cancel, buildName(ref), call, (client, limits) =>
        client.cancelBuild(toRequest(ref), gaxOptions(limits)),
      );
    },
  };

  function read(ref: BuildRef, call: Call): Promise<BuildState> {
    return invoke(on, methods.read, buildName(ref), call, async (client, limits) => {
      const [build] = await client.getBuild(toRequest(ref), gaxOptions(limits));
      return toBuildState(build);
    });
  }

  return { port, warm: builds.client, close: builds.close };
}

function toRequest(ref: BuildRef): { name: string; projectId: string; id: string } {
  return { name: buildName(ref), projectId: ref.project, id: ref.id };
}

function buildName(ref: BuildRef): string {
  return `projects/${ref.project}/locations/${ref.region}/builds/${ref.id}`;
}

function toBuild(request: BuildRequest): Build {
  return {
    source: { storageSource: request.source },
    steps: request.steps,
    images: request.images,
    tags: request.tags,
    substitutions: request.substitutions,
    timeout: { seconds: request.timeoutSeconds },
    ...(request.serviceAccount ? { serviceAccount: request.serviceAccount } : {}),
    ...(request.logsBucket ? { logsBucket: `gs://${request.logsBucket}` } : {}),
    ...(request.cloudLoggingOnly ? { options: { logging: 'CLOUD_LOGGING_ONLY' } } : {}),
  };
}

const statuses: readonly BuildState['status'][] = [
  'PENDING',
  'QUEUED',
  'WORKING',
  'SUCCESS',
  'FAILURE',
  'INTERNAL_ERROR',
  'TIMEOUT',
  'CANCELLED',
  'EXPIRED',
];
const running: readonly BuildState['status'][] = ['PENDING', 'QUEUED', 'WORKING', 'STATUS_UNKNOWN'];

function isOver(state: BuildState): boolean {
  return !running.includes(state.status);
}

export function toBuildState(build: Build): BuildState {
  const loggingOnly = build.options?.logging === 'CLOUD_LOGGING_ONLY';
  const failure = toFailure(build);
  return {
    id: build.id ?? '',
    status: statuses.find((status) => status === build.status) ?? 'STATUS_UNKNOWN',
    images: (build.results?.images ?? []).map(({ name, digest }) => ({
      name: name ?? '',
      digest: digest ?? '',
    })),
    ...(failure ? { failure } : {}),
    logUrl: build.logUrl ?? '',
    logsBucket: loggingOnly ? '' : (build.logsBucket ?? '').replace(/^gs:\/\//, ''),
  };
}

function toFailure(build: Build): BuildState['failure'] {
  const info = build.failureInfo;
  if (info) return { type: String(info.type), detail: info.detail || (build.statusDetail ?? '') };
  return build.statusDetail ? { type: 'FAILURE_TYPE_UNSPECIFIED', detail: build.statusDetail } : undefined;
}
