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
  /** Who must answer there, and its image: what is found is true of these alone. */
  revision: string;
  digest: string;
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
  /** What served before the revision under check. */
  former: FormerLog | 'none' | 'unknown';
  /** What people have answered to the service's manual checks, oldest first. */
  answers(): Promise<readonly PersonsAnswer[]>;
  /** How a person answers a manual check. */
  signCommand(item: string): string;
  /** For days and dates; durations are measured by a clock that does not jump. */
  now: () => Date;
  /** For the checks that run programs. */
  program: ProgramSetting;
  signal: AbortSignal;
};

/** What a program that checks a service is told of it, and where it finds the source. */
export type ProgramSetting = {
  environment: string;
  /** '' before there is one. */
  revision: string;
  e2eEnv: Record<string, string>;
  /** The source folder, absolute. */
  sourceDir: string;
  /** The paths in it that are uploaded: what is not among them is in no image. */
  sourceFiles(): Promise<string[]>;
  /** Absent before the build: then there is no revision that could be asked anything. */
  requests?: RequestLog;
};

/** The requests that the revision under check has answered. */
export type RequestLog = {
  /**
   * How many came in between two times that were not Sluice's own; waits a while for the first one, because such
   * entries come late. Throws when the log cannot be read.
   */
  count(from: Date, to: Date, signal: AbortSignal): Promise<number>;
};

/** The log of the revision under check. */
export type StageLog = {
  /**
   * What it held before the stage's start: its beginning and its newest entries, oldest first. `complete`
   * false: some between them were left out.
   */
  history(signal: AbortSignal): Promise<{ entries: LogEntry[]; complete: boolean }>;
  /**
   * Batches of entries from the stage's start on, as they come in, until so many seconds after that start
   * have passed; each entry once. Throws when the log cannot be read, or is too long to be read whole.
   */
  watch(windowSeconds: number, signal: AbortSignal): AsyncIterable<LogEntry[]>;
};

/** The log of what served before. */
export type FormerLog = {
  revisions: readonly string[];
  /** Its newest entries, so many at most. Throws when they cannot be read. */
  read(signal: AbortSignal): Promise<{ entries: LogEntry[]; complete: boolean }>;
};

/** A person's answer to a manual check, as it was signed. */
export type PersonsAnswer = {
  item: string;
  outcome: 'passed' | 'failed';
  note: string;
  by: { git: string; account: string };
  /** RFC 3339. */
  at: string;
  revision: string;
  digest: string;
};

/** What one kind of check finds out; the runner adds the rest. `final`: another try must not undo it. */
export type CheckOutcome = Pick<
  CheckResult,
  | 'status'
  | 'reason'
  | 'figures'
  | 'entries'
  | 'messages'
  | 'components'
  | 'phases'
  | 'cases'
  | 'output'
  | 'next'
> & { final?: true };

export type CheckEvent = Extract<DurableEvent, { type: 'check.started' | 'check.finished' }>;
