/** The startup profile: what the logs of one revision say about its start. Shapes are a public contract. */

export type PhaseOutcome = 'completed' | 'failed' | 'incomplete';
export type SystemStatus = 'healthy' | 'degraded' | 'failed' | 'not-reported';
export type StartupOutcome = 'started' | 'failed' | 'crash-loop' | 'unknown';

export type Phase = {
  name: string;
  /** null while it has not ended and its log gives no time. */
  seconds: number | null;
  /** Share of the total, 0–1, to three places; null without seconds. */
  share: number | null;
  outcome: PhaseOutcome;
};

export type System = { name: string; status: SystemStatus; detail: string };

export type FindingCategory =
  | 'crash-loop'
  | 'exit'
  | 'port'
  | 'import'
  | 'database'
  | 'websocket'
  | 'request'
  | 'setting'
  | 'memory'
  | 'exception'
  | 'phase'
  | 'system'
  | 'condition'
  | 'warning'
  | 'error';

/** Something the logs show. `fatal` ends a start, `error` and `warning` did not stop it. */
export type Finding = {
  severity: 'fatal' | 'error' | 'warning';
  category: FindingCategory;
  /** One line. */
  cause: string;
  hint: string;
  count: number;
  firstSeen: string;
  lastSeen: string;
  /** insertIds, bounded. */
  entries: string[];
};

export type RevisionProfile = {
  service: string;
  revision: string;
  outcome: StartupOutcome;
  totalSeconds: number | null;
  phases: Phase[];
  systems: System[];
  /** The finding that explains the others: the innermost cause, not the last line. */
  rootCause: Finding | null;
  /** Fatal ones first, the root cause at their head. */
  findings: Finding[];
};

/** `omittedRevisions` counts those beyond the bound, where there are any. */
export type StartupReport = { version: 1; revisions: RevisionProfile[]; omittedRevisions?: number };
