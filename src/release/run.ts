import type { Call, Cloud, LiveService, ServiceEdit } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import { type Problem, SluiceError } from '../errors.ts';
import type { Statements } from '../ledger/statements.ts';
import type { Finding } from '../startup/profile.ts';
import { retyped } from '../typed.ts';
import type { Journal } from './journal.ts';

/** What a stage may use. Results go from stage to stage as values; only `seen` changes, by the guarded write. */
export type ServiceRun = {
  target: Target;
  cloud: Cloud;
  journal: Journal;
  signal: AbortSignal;
  now: () => number;
  /** Books time that is spent waiting for the world. */
  track: <T>(promise: Promise<T>) => Promise<T>;
  /** Told when a long wait begins: what is only needed later is loaded meanwhile. */
  meanwhile: () => void;
  /** What people have signed. */
  statements: Pick<Statements, 'signatures'>;
  /** `sluice deploy staging`, as a person would type it again. */
  command: string;
  /** The service as this release last saw it, whether it has written to it, and its writes with an unknown outcome. */
  seen: { live: LiveService | undefined; wrote: boolean; unanswered: ServiceEdit[] };
};

export function call(run: { signal: AbortSignal }, timeoutMs?: number): Call {
  return timeoutMs === undefined ? { signal: run.signal } : { signal: run.signal, timeoutMs };
}

/** Another command about the same environment, to be typed as this one was: `sluice logs staging --local`. */
export function typed(run: { command: string }, verb: string, ...flags: string[]): string {
  return retyped(run.command, verb, ...flags);
}

/** How to answer a manual check, with the flags that were typed: `sluice sign staging french --local --note "…"`. */
export function typedSign(run: { command: string }, environment: string, item: string, service = ''): string {
  const flags = / --.*$/.exec(run.command)?.[0] ?? '';
  const named = service && !flags.includes(' --service ') ? ` --service ${service}` : '';
  return `sluice sign ${environment} ${item}${flags}${named} --note "…"`;
}

/** A stage that failed, with what is known of the cause. Its reason decides the exit code. */
export class StageFailure extends SluiceError {
  /** The finding behind it, when the logs told. */
  readonly finding: Finding | null;

  constructor(
    reason: SluiceError['reason'],
    problem: Problem,
    options: { cause?: unknown; finding?: Finding | null } = {},
  ) {
    super(reason, problem, options);
    this.finding = options.finding ?? null;
  }
}
