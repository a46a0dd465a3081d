import { CloudError } from '../cloud/ports/index.ts';
import { type ExitReason, errorMessage, type Problem, SluiceError } from '../errors.ts';
import type { Finding } from '../startup/profile.ts';
import { type DurableEvent, type Stage, stages } from './events.ts';
import { StageFailure } from './run.ts';
import type { ServiceState } from './state.ts';

export type Diagnosis = NonNullable<Extract<DurableEvent, { type: 'service.finished' }>['diagnosis']>;

/** What a stage is called when it has not happened. */
const undone: Partial<Record<Stage, string>> = {
  build: 'no image was built',
  candidate: 'no revision was made',
  warm: 'the revision was not warmed',
  checks: 'the candidate checks were not run',
  traffic: 'the traffic was not moved',
  checklist: 'the post-deploy checklist was not run',
};

const evidenceLines = 8;

/** Folds an error and what the logs told into what a person needs. Pure. */
export function diagnose(
  error: unknown,
  state: ServiceState | undefined,
  linesOf: (insertIds: readonly string[]) => string[],
  by: { command: string; stages: readonly Stage[] },
): Diagnosis {
  const finding = findingBehind(error, state);
  const problem = problemOf(error);
  return {
    cause: finding?.cause ?? problem.what,
    // What failed is said unless it only repeats the cause.
    why: finding ? (problem.what.includes(finding.cause) ? '' : problem.what) : (problem.why ?? ''),
    hint: finding?.hint ?? '',
    evidence: finding ? linesOf(entriesOf(finding, state)).slice(0, evidenceLines) : [],
    notDone: by.stages.flatMap((stage) => {
      const words = undone[stage];
      return words && !state?.stages[stage] ? [words] : [];
    }),
    next: [...(problem.next ?? [by.command])],
  };
}

/** The cause's own entries, then those of what else ended the start: the exit after the exception. */
function entriesOf(finding: Finding, state: ServiceState | undefined): string[] {
  const fatal = state?.profile?.findings.filter(({ severity }) => severity === 'fatal') ?? [];
  return [...new Set([...finding.entries, ...fatal.flatMap(({ entries }) => entries.slice(0, 2))])];
}

/** The logs' innermost cause explains a start that failed; other failures explain themselves. */
function findingBehind(error: unknown, state: ServiceState | undefined): Finding | null {
  if (!(error instanceof StageFailure)) return null;
  if (error.reason === 'startup') return state?.profile?.rootCause ?? error.finding;
  return error.finding;
}

/** What a refusal by the cloud comes to, by the stage in which it fell. */
const failedIn: Record<Stage, ExitReason> = {
  observe: 'preflight',
  preflight: 'preflight',
  predeploy: 'preflight',
  build: 'build',
  candidate: 'startup',
  warm: 'startup',
  startup: 'startup',
  checks: 'checklist',
  traffic: 'traffic',
  checklist: 'checklist',
  restore: 'unknown',
};

export function reasonOfStage(stage: Stage): ExitReason {
  return failedIn[stage];
}

/** The exit code's reason; `stage` is the one that failed, if one did. */
export function reasonOf(error: unknown, stage?: Stage): ExitReason {
  if (error instanceof SluiceError) return error.reason;
  if (error instanceof CloudError) {
    if (error.kind === 'conflict' || error.kind === 'already-exists') return 'conflict';
    if (error.kind === 'outcome-unknown') return 'unknown';
    if (error.kind === 'aborted') return 'interrupted';
    if (stage) return failedIn[stage];
  }
  return error instanceof Error && interruptions.has(error.name) ? 'interrupted' : 'unknown';
}

/** Names, because the terminal's own class is none of this folder's business. */
const interruptions = new Set(['AbortError', 'Interrupted']);

export function failedStage(state: ServiceState | undefined): Stage | undefined {
  return stages.find((stage) => state?.stages[stage]?.outcome === 'failed');
}

/** Any error in the words of a problem. */
export function problemOf(error: unknown): Problem {
  if (error instanceof SluiceError) return error.problem;
  if (error instanceof CloudError) {
    return {
      what: `${error.method} was refused: ${error.said}`,
      why: `About ${error.resource} (${error.kind}).`,
    };
  }
  return { what: errorMessage(error) };
}
