import path from 'node:path';
import { BuildFailed, StepError } from '../failure.ts';
import type { StepBench } from './bench.ts';
import { runDockerBuild, runDockerPull, runDockerPush, runDockerTag } from './docker.ts';
import { runPack } from './pack.ts';
import { type PlannedStep, stepTitle } from './planned.ts';
import { runTool } from './tool.ts';

export type StepOutcome = {
  status: 'SUCCESS' | 'FAILURE' | 'TIMEOUT' | 'CANCELLED';
  exitCode?: number;
};

export type StepObserver = {
  started(index: number): void;
  ended(index: number, outcome: StepOutcome): void;
};

/** What a step is run with, but for what is its own. */
export type StepsContext = Omit<StepBench, 'step' | 'folder'> & { folder: string };

/**
 * Runs each step as soon as those that it waits for have ended. The first one that fails ends those that run, and
 * throws a BuildFailed; an aborted build throws the signal's reason.
 */
export async function runSteps(
  steps: readonly PlannedStep[],
  context: StepsContext,
  observer: StepObserver,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const ended: Promise<void>[] = [];
  for (const step of steps) {
    const before = step.after.map((index) => ended[index]);
    ended.push(
      Promise.all(before).then(() =>
        runStep(step, { ...context, signal }, { observer, isOnly: steps.length === 1 }),
      ),
    );
  }
  try {
    await Promise.all(ended);
  } catch (error) {
    failed.abort(error);
    throw error;
  } finally {
    await Promise.allSettled(ended);
  }
}

async function runStep(
  step: PlannedStep,
  context: StepsContext,
  { observer, isOnly }: { observer: StepObserver; isOnly: boolean },
): Promise<void> {
  const { signal } = context;
  signal.throwIfAborted();
  const title = stepTitle(step);
  const log = isOnly ? context.log : (line: string) => context.log(`${title}: ${line}`);
  if (!isOnly) context.log(`Starting ${title}`);
  const timeout = step.timeoutMs === undefined ? undefined : AbortSignal.timeout(step.timeoutMs);
  const bench: StepBench = {
    ...context,
    ...{ step, log },
    folder: path.join(context.folder, `step-${step.index}`),
    signal: timeout ? AbortSignal.any([signal, timeout]) : signal,
  };
  observer.started(step.index);
  const code = await exitCodeOf(bench).catch((error: unknown) => {
    if (timeout?.aborted && !signal.aborted) return 'timeout' as const;
    observer.ended(step.index, { status: signal.aborted ? 'CANCELLED' : 'FAILURE' });
    throw error;
  });
  if (!isOnly) context.log(`Finished ${title}`);
  if (code === 0) return observer.ended(step.index, { status: 'SUCCESS' });
  const outcome =
    code === 'timeout' ? { status: 'TIMEOUT' as const } : { status: 'FAILURE' as const, exitCode: code };
  observer.ended(step.index, outcome);
  if (step.allowFailure || (code !== 'timeout' && step.allowExitCodes.includes(code))) return;
  const why = code === 'timeout' ? 'step exceeded its timeout' : `step exited with non-zero status: ${code}`;
  throw new BuildFailed(
    'USER_BUILD_STEP',
    `Build step failure: build step ${step.index} "${step.builder}" failed: ${why}`,
  );
}

async function exitCodeOf(bench: StepBench): Promise<number> {
  try {
    const code = await perform(bench);
    bench.signal.throwIfAborted();
    return code;
  } catch (error) {
    bench.signal.throwIfAborted();
    if (!(error instanceof StepError)) throw error;
    for (const line of error.message.split('\n')) bench.log(`ERROR: ${line}`);
    return 1;
  }
}

function perform(bench: StepBench): Promise<number> {
  const { work } = bench.step;
  switch (work.kind) {
    case 'pack':
      return runPack(work, bench);
    case 'pack-config':
      bench.log('Builder gcr.io/buildpacks/builder:latest is now the default builder');
      return Promise.resolve(0);
    case 'docker-build':
      return runDockerBuild(work, bench);
    case 'docker-push':
      return runDockerPush(work.image, bench);
    case 'docker-pull':
      return runDockerPull(work.image, bench);
    case 'docker-tag':
      return runDockerTag(work, bench);
    case 'process':
      return runTool(work, bench);
  }
}
