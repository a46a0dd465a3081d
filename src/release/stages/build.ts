import { setTimeout as sleep } from 'node:timers/promises';
import type { BuildRef, BuildRequest, BuildState, SourceObject } from '../../cloud/ports/index.ts';
import { errorMessage } from '../../errors.ts';
import type { Plan } from '../../plan/plan.ts';
import type { StageResult } from '../journal.ts';
import { call, type ServiceRun, StageFailure } from '../run.ts';
import type { PackedSource } from '../source.ts';

/** Gives the image by digest: a given one, one built earlier from the same source, or a build's. */
export async function build(
  run: ServiceRun,
  plan: Plan,
  source: PackedSource | null,
): Promise<StageResult<{ image: string }>> {
  const { image } = plan;
  if (image.reference !== null || source === null) {
    const reference = image.reference ?? '';
    const outcome = image.from === 'given' ? 'given' : 'reused';
    report(run, { outcome, image: reference, seconds: 0, detail: '', tail: [] });
    const note =
      outcome === 'given' ? `given: ${short(reference)}` : 'same source, same image: nothing to build';
    return { value: { image: reference }, note, outcome: 'skipped' };
  }
  const began = performance.now();
  const object = await upload(run, source);
  const ref = await run.cloud.build.submit(buildRequest(run, source, object), call(run));
  const tail = await followBuild(run, ref);
  const state = await run.cloud.build.read(ref, call(run));
  const seconds = (performance.now() - began) / 1000;
  if (state.status !== 'SUCCESS') throw failed(run, state, tail, seconds);
  const built = state.images.find((made) => made.name.startsWith(run.target.build.repository));
  if (!built?.digest) {
    throw failed(
      run,
      { ...state, failure: { type: 'NO_IMAGE', detail: 'The build made no image.' } },
      tail,
      seconds,
    );
  }
  const reference = `${run.target.build.repository}@${built.digest}`;
  report(run, { outcome: 'succeeded', image: reference, seconds, detail: '', tail: [] });
  return { value: { image: reference }, note: short(built.digest) };
}

/** Of an image or its digest what tells it apart: `sha256:1e687bce5e6c`. */
function short(image: string): string {
  const digest = image.slice(image.lastIndexOf('@') + 1);
  return digest.startsWith('sha256:') ? digest.slice(0, 19) : image;
}

/**
 * The hash makes a repeated upload of the same source easy to see. Of two services with the same source the second
 * upload would replace the first one's generation, which its build fetches: so each has its own.
 */
async function upload(run: ServiceRun, source: PackedSource): Promise<SourceObject> {
  const { project, region } = run.target.ref;
  const bucket = `${project}_${region}_cloudbuild`;
  progress(run, `uploading ${source.files} files`);
  await run.cloud.storage.ensureBucket({ project, region, name: bucket }, call(run));
  const object = `source/${run.journal.release}-${run.target.key}-${source.hash.slice(7, 19)}.tgz`;
  return run.cloud.storage.upload({ bucket, object }, source.archive, call(run));
}

/** The buildpacks step that `gcloud run deploy --source` sends. */
function buildRequest(run: ServiceRun, source: PackedSource, object: SourceObject): BuildRequest {
  const { build, ref } = run.target;
  const image = `${build.repository}:${source.hash.slice(7, 19)}`;
  return {
    project: ref.project,
    region: ref.region,
    source: object,
    steps: [
      {
        name: 'gcr.io/k8s-skaffold/pack',
        entrypoint: 'pack',
        args: [
          'build',
          image,
          '--builder',
          'gcr.io/buildpacks/builder:latest',
          '--network',
          'cloudbuild',
          '--publish',
        ],
      },
    ],
    images: [image],
    tags: ['sluice', run.target.key],
    substitutions: {},
    timeoutSeconds: build.timeoutSeconds,
    ...(build.serviceAccount ? { serviceAccount: build.serviceAccount } : {}),
    ...(build.logsBucket ? { logsBucket: build.logsBucket } : {}),
    cloudLoggingOnly: build.serviceAccount !== undefined && build.logsBucket === undefined,
  };
}

const tailLines = 40;

/** Shows the build's log while it runs. A log that cannot be read is said once and never fails a build. */
async function followBuild(run: ServiceRun, ref: BuildRef): Promise<string[]> {
  const first = await run.cloud.build.read(ref, call(run));
  run.journal.emit({
    type: 'build.started',
    service: run.target.key,
    build: ref.id,
    logUrl: first.logUrl,
  });
  const tail: string[] = [];
  const show = (line: string): void => {
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    run.journal.emit({ type: 'build.log', service: run.target.key, line });
  };
  const over = new AbortController();
  const log = followLogObject(run, ref, first.logsBucket, over.signal, show);
  // In the next turn: the wait that it fills has begun then.
  setImmediate(run.meanwhile);
  try {
    await run.cloud.build.await(ref, call(run, (run.target.build.timeoutSeconds + 60) * 1000));
  } catch (error) {
    // Ctrl-C: the build is of no use to anybody any more.
    if (run.signal.aborted) await cancelBuild(run, ref);
    throw error;
  } finally {
    over.abort();
    await log;
  }
  return tail;
}

async function followLogObject(
  run: ServiceRun,
  ref: BuildRef,
  logsBucket: string,
  over: AbortSignal,
  show: (line: string) => void,
): Promise<void> {
  if (!logsBucket) return;
  const bucket = logsBucket.replace(/^gs:\/\//, '');
  const decoder = new TextDecoder();
  let offset = 0;
  let rest = '';
  try {
    for (let last = false; !last; ) {
      last = over.aborted;
      const bytes = await run.cloud.storage.readFrom(
        { bucket, object: `log-${ref.id}.txt`, offset },
        call(run),
      );
      if (bytes && bytes.length > 0) {
        offset += bytes.length;
        const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) show(line.slice(0, 2_000));
      }
      if (!last) await sleep(250, undefined, { signal: over }).catch(() => undefined);
    }
    if (rest) show(rest.slice(0, 2_000));
  } catch (error) {
    if (run.signal.aborted) return;
    const why = errorMessage(error);
    run.journal.emit({
      type: 'notice',
      service: run.target.key,
      note: `the build's log cannot be read: ${why}`,
    });
  }
}

async function cancelBuild(run: ServiceRun, ref: BuildRef): Promise<void> {
  const ended = { signal: AbortSignal.timeout(10_000) };
  await run.cloud.build.cancel(ref, ended).catch(() => {
    run.journal.emit({
      type: 'notice',
      service: run.target.key,
      note: `build ${ref.id} could not be cancelled and may still run`,
    });
  });
}

function failed(run: ServiceRun, state: BuildState, tail: string[], seconds: number): StageFailure {
  const detail = state.failure?.detail || `status ${state.status}`;
  report(run, { outcome: 'failed', image: '', seconds, detail, tail });
  return new StageFailure('build', {
    what: `The build of ${run.target.key} failed: ${detail}`,
    why: `Cloud Build ${state.id} ended with ${state.status}.`,
    next: [...(state.logUrl ? [`open ${state.logUrl}`] : []), run.command],
  });
}

type Report = {
  outcome: 'succeeded' | 'failed' | 'reused' | 'given';
  image: string;
  seconds: number;
  detail: string;
  tail: string[];
};

function report(run: ServiceRun, result: Report): void {
  const digest = result.image.split('@')[1] ?? '';
  run.journal.emit({ type: 'build.finished', service: run.target.key, digest, ...result });
}

function progress(run: ServiceRun, note: string): void {
  run.journal.emit({ type: 'progress', service: run.target.key, stage: 'build', note });
}
