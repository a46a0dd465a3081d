import type { BuildFailure } from './record.ts';

/** Ends a build as FAILURE, with the reason that `failureInfo` gives. */
export class BuildFailed extends Error {
  override readonly name = 'BuildFailed';
  readonly failure: BuildFailure;

  constructor(type: BuildFailure['type'], detail: string) {
    super(detail);
    this.failure = { type, detail };
  }
}

/** Ends a step with exit status 1; its log says why, as a container's would. */
export class StepError extends Error {
  override readonly name = 'StepError';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
