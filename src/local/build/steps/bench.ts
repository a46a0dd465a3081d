import { realpath } from 'node:fs/promises';
import type { Daemon } from '../daemon.ts';
import { StepError } from '../failure.ts';
import type { LocalImageStore } from '../image-store.ts';
import type { Userland, View } from '../userland.ts';
import { pathOnHost } from '../userland.ts';
import { isWithin } from '../within.ts';
import { workspace } from './plan.ts';
import type { PlannedStep } from './planned.ts';

/** What a step works with. */
export type StepBench = {
  step: PlannedStep;
  /** The step's own, for what it makes on the way; on the file system of the images. */
  folder: string;
  /** Where `/workspace` and `/builder/home` lie on this machine. */
  workspaceFolder: string;
  homeFolder: string;
  cacheFolder: string;
  images: LocalImageStore;
  daemon: Daemon;
  userland: Userland;
  signal: AbortSignal;
  log(line: string): void;
};

const home = '/builder/home';

/** The file system as the step sees it. */
export function viewOf(bench: StepBench, scratch: string): View {
  return {
    root: `${bench.folder}/root`,
    scratch,
    cwd: bench.step.dir,
    binds: [
      { from: bench.workspaceFolder, to: workspace },
      { from: bench.homeFolder, to: home },
    ],
  };
}

export function homeOf(bench: StepBench, view: View): string {
  return bench.userland.seen(view, home);
}

/**
 * Where a path of a command line lies on this machine, its links followed: a step may have made some that lead out.
 * Throws a StepError when it is outside of the workspace; nothing needs to be there.
 */
export async function inWorkspace(
  bench: StepBench,
  file: string,
  resolve: (...paths: string[]) => string,
): Promise<string> {
  const seen = resolve(bench.step.dir, file);
  const refused = new StepError(`the local cloud reads only from ${workspace}, not '${file}'`);
  if (!isWithin(workspace, seen)) throw refused;
  const onHost = pathOnHost(viewOf(bench, ''), seen);
  const real = await realpath(onHost).catch(() => undefined);
  if (real === undefined) return onHost;
  if (!isWithin(await realpath(bench.workspaceFolder), real)) throw refused;
  return real;
}
