import type { LogEntry } from '../cloud/ports/index.ts';
import type { CheckStage, TokenRef } from '../config/check-spec.ts';
import type { StartupSpec } from '../config/target.ts';
import type { DurableEvent } from '../release/events.ts';
import type { Secret } from '../secret.ts';
import type { RevisionProfile } from '../startup/profile.ts';
import type { CheckResult } from './result.ts';

/** All that the checks of one service may look at, in one stage of a release. */
export type CheckContext = {
  /** The service's name in the release's events. */
  service: string;
  stage: CheckStage;
  /** What is checked: the candidate's own URL, or the service's. */
  url: string;
  /** The target's e2e headers; their values are never shown. */
  headers: Record<string, string>;
  /** For a service that is not public. */
  idToken?: () => Promise<Secret>;
  /** What a check signs in with; it rejects with why it cannot be read and what to do. */
  token(ref: TokenRef): Promise<Secret>;
  /** null when the startup was not followed. */
  profile: RevisionProfile | null;
  startup: StartupSpec;
  log: StageLog;
  signal: AbortSignal;
};

/** The log of the revision under check. */
export type StageLog = {
  /**
   * Batches of entries from the stage's start on, as they come in, until so many seconds after that start
   * have passed; each entry once. Throws when the log cannot be read, or is too long to be read whole.
   */
  watch(windowSeconds: number, signal: AbortSignal): AsyncIterable<LogEntry[]>;
};

/** What one kind of check finds out; the runner adds the rest. */
export type CheckOutcome = Pick<
  CheckResult,
  'status' | 'reason' | 'figures' | 'entries' | 'messages' | 'components' | 'cases'
>;

export type CheckEvent = Extract<DurableEvent, { type: 'check.started' | 'check.finished' }>;
