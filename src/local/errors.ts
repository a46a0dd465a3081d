/** Stops the local cloud or whoever starts it. Its text is for people: what happened, why, what to type next. */
export class LocalCloudError extends Error {
  override readonly name: string = 'LocalCloudError';
  readonly what: string;
  readonly why: string | undefined;
  readonly next: readonly string[];

  constructor(
    problem: { what: string; why?: string; next?: readonly string[] },
    options?: { cause?: unknown },
  ) {
    super(problem.why ? `${problem.what}\n${problem.why}` : problem.what, options);
    this.what = problem.what;
    this.why = problem.why;
    this.next = problem.next ?? [];
  }
}

/** Another server holds the home. */
export class HomeBusyError extends LocalCloudError {
  override readonly name = 'HomeBusyError';

  constructor(home: string) {
    super({ what: `A local cloud runs already in ${home}.`, next: ['sluice local stop'] });
  }
}
