import { inspect } from 'node:util';
import { CloudError, type CloudErrorKind } from '../cloud/ports/call.ts';
import { type ExitReason, exitCodes, type Problem, SluiceError } from '../errors.ts';
import { Interrupted } from './interruption.ts';
import { describeUsageError, isUsageError } from './usage-error.ts';

/** Any thrown thing, in the words and the code that a person or a script is given. */
export type Failure = Problem & {
  /** A key of the exit code table, or `bug`: the fault is Sluice's own. */
  reason: ExitReason | 'bug';
  exitCode: number;
  /** Only for a bug, only when asked for. */
  stack?: string;
};

const bugExitCode = 1;

const cloudReasons: Record<CloudErrorKind, ExitReason> = {
  'not-found': 'usage',
  'already-exists': 'conflict',
  conflict: 'conflict',
  invalid: 'usage',
  unauthenticated: 'preflight',
  forbidden: 'preflight',
  exhausted: 'preflight',
  unsupported: 'usage',
  precondition: 'conflict',
  unavailable: 'unknown',
  'outcome-unknown': 'unknown',
  deadline: 'unknown',
  internal: 'unknown',
  aborted: 'interrupted',
};

const cloudAdvice: Partial<Record<CloudErrorKind, readonly string[]>> = {
  conflict: ['somebody else changed it; look again with `sluice status`, then run the command again'],
  unauthenticated: ['gcloud auth application-default login', 'or rehearse on this machine: add --local'],
  forbidden: ['ask for the missing role, then run the command again'],
  exhausted: ['a quota is used up; wait a minute, then run the command again'],
  unavailable: ['the cloud did not answer; run the command again'],
  deadline: ['the cloud did not answer in time; `sluice status` shows what is true now'],
  'outcome-unknown': ['the write may or may not have happened; `sluice status` shows what is true now'],
};

/** What stopped the local cloud says itself what to do; known by its name, since nothing here imports that folder. */
const isLocalCloudError = (error: unknown): error is Error & Problem =>
  error instanceof Error && error.name === 'LocalCloudError' && 'what' in error && 'next' in error;

export function describeFailure(error: unknown, debug = false): Failure {
  if (error instanceof SluiceError) {
    return { ...error.problem, reason: error.reason, exitCode: error.exitCode };
  }
  if (error instanceof CloudError) return cloudFailure(error);
  if (isLocalCloudError(error)) {
    const { what, why, next } = error;
    return {
      what,
      ...(why ? { why } : {}),
      next: next ?? [],
      reason: 'preflight',
      exitCode: exitCodes.preflight,
    };
  }
  if (error instanceof Interrupted) {
    const exitCode = error.by === 'closed-output' ? exitCodes.done : exitCodes.interrupted;
    return { what: error.message, reason: 'interrupted', exitCode };
  }
  if (isUsageError(error)) {
    return { ...describeUsageError(error), reason: 'usage', exitCode: exitCodes.usage };
  }
  return bug(error, debug);
}

function cloudFailure(error: CloudError): Failure {
  const reason = cloudReasons[error.kind];
  return {
    what:
      error.kind === 'unauthenticated'
        ? `Google did not accept who is asking: ${error.said}`
        : `${error.method} was refused: ${error.said}`,
    ...(error.resource ? { why: `about ${error.resource} (${error.kind})` } : {}),
    next: cloudAdvice[error.kind] ?? [],
    reason,
    exitCode: exitCodes[reason],
  };
}

function bug(error: unknown, debug: boolean): Failure {
  const failure: Failure = {
    what: `Sluice met something it did not expect: ${error instanceof Error ? error.message : inspect(error)}`,
    why: 'this is a fault in Sluice, not in your service',
    next: ['run it again with SLUICE_DEBUG=1 and report what it prints'],
    reason: 'bug',
    exitCode: bugExitCode,
  };
  if (debug && error instanceof Error && error.stack) failure.stack = error.stack;
  return failure;
}
