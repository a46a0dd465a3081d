/** What a script may rely on: one table, used by every command. */
export const exitCodes = {
  done: 0,
  usage: 2,
  changes: 3,
  preflight: 10,
  build: 11,
  startup: 12,
  checklist: 13,
  traffic: 14,
  'gate-blocked': 15,
  'gate-pending': 16,
  conflict: 17,
  unknown: 18,
  interrupted: 130,
} as const;

export type ExitReason = keyof typeof exitCodes;

export function isExitReason(word: string): word is ExitReason {
  return Object.hasOwn(exitCodes, word);
}

/** What a person needs to go on: what happened, to what, why, and what to type next. */
export type Problem = {
  what: string;
  why?: string;
  next?: readonly string[];
};

/** The words of whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Stops the run. Its message is for people; nobody is shown its stack. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly reason: ExitReason;
  readonly problem: Problem;

  constructor(reason: ExitReason, problem: Problem, options?: { cause?: unknown }) {
    super(describeProblem(problem), options);
    this.reason = reason;
    this.problem = problem;
  }

  get exitCode(): number {
    return exitCodes[this.reason];
  }
}

function describeProblem(problem: Problem): string {
  const lines = [problem.what];
  if (problem.why) lines.push(problem.why);
  for (const next of problem.next ?? []) lines.push(`→ ${next}`);
  return lines.join('\n');
}
