import path from 'node:path';
import { type BuildRequest, refused, type StepRequest } from '../schema.ts';
import type { Substitution } from '../substitutions.ts';
import { planWork } from './builders.ts';
import { keyValues } from './command-line.ts';
import type { PlannedStep } from './planned.ts';

/** Where the source lies, as every step sees it. */
export const workspace = '/workspace';

/** The steps in the order of the request. Throws INVALID_ARGUMENT on what no step may be. */
export function planSteps(build: BuildRequest, substitution: Substitution): PlannedStep[] {
  const indexes = new Map<string, number>();
  return build.steps.map((step, index) => {
    const after = step.waitFor.length === 0 ? indexesBefore(index) : awaited(step, index, indexes);
    const planned = planStep(build, step, { index, after, substitution });
    if (step.id !== '') addId(indexes, step.id, index);
    return planned;
  });
}

function planStep(
  { options }: BuildRequest,
  step: StepRequest,
  { index, after, substitution }: { index: number; after: number[]; substitution: Substitution },
): PlannedStep {
  const { fill, values } = substitution;
  // A script is taken as it stands; it can have the substitutions as variables.
  const automap = step.automapSubstitutions ?? options.automapSubstitutions;
  const sent = {
    name: fill(step.name),
    args: step.args.map(fill),
    env: step.env.map(fill),
    dir: fill(step.dir),
    ...(step.entrypoint !== undefined && { entrypoint: fill(step.entrypoint) }),
  };
  const env = [...options.env.map(fill), ...sent.env];
  return {
    index,
    builder: sent.name,
    id: step.id,
    after,
    env: { ...(automap && values), ...keyValues(env, `build step #${index}: the Env entry`) },
    dir: dirOf(sent.dir),
    ...(step.timeout !== undefined && { timeoutMs: step.timeout }),
    allowFailure: step.allowFailure,
    allowExitCodes: step.allowExitCodes,
    sent,
    work: planWork({ ...sent, ...(step.script !== undefined && { script: step.script }) }),
  };
}

function indexesBefore(index: number): number[] {
  return Array.from({ length: index }, (_none, before) => before);
}

/** `-` means: at once. */
function awaited({ waitFor }: StepRequest, index: number, indexes: ReadonlyMap<string, number>): number[] {
  return waitFor
    .filter((id) => id !== '-')
    .map((id) => {
      const found = indexes.get(id);
      if (found !== undefined) return found;
      throw refusedSteps(`build step #${index} depends on "${id}", which has not been defined`);
    });
}

function addId(indexes: Map<string, number>, id: string, index: number): void {
  if (indexes.has(id)) throw refusedSteps(`build step #${index} - "${id}": the ID is not unique`);
  if (id === '-') {
    throw refusedSteps(
      `build step #${index} - "${id}": the ID cannot be "-" which is reserved as a dependency for build steps that should run first`,
    );
  }
  indexes.set(id, index);
}

function dirOf(dir: string): string {
  const absolute = path.posix.resolve(workspace, dir);
  if (absolute !== workspace && !absolute.startsWith(`${workspace}/`))
    throw refusedSteps(`the local cloud supports only a dir in ${workspace}, not "${dir}"`);
  return absolute;
}

function refusedSteps(why: string): Error {
  return refused(`invalid .steps field: ${why}`);
}
