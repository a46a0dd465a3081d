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

/** The buildpacks step went wrong: in Cloud Build's words, with what the step said. */
export function stepFailed(why: string): BuildFailed {
  return new BuildFailed(
    'USER_BUILD_STEP',
    `Build step failure: build step 0 "gcr.io/k8s-skaffold/pack" failed: ${why}`,
  );
}
