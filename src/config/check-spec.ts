/** `predeploy`: before any build; `candidate`: on the new revision's own URL; `post`: on the service's, after the traffic has moved. */
export type CheckStage = 'predeploy' | 'candidate' | 'post';

export type CheckBase = {
  id: string;
  stages: CheckStage[];
  /** false: advisory, a failure stops nothing. */
  required: boolean;
  timeoutSeconds: number;
  /** A known failure that stops nothing until the end of a day (`YYYY-MM-DD`, UTC). */
  expectedToFail?: { until: string; reason: string };
  /** Passes in a row that it takes; a failure begins the count anew. */
  successes: number;
  /** Failures, with backoff, before they count; 1 for a kind that sees the same with every try. */
  attempts?: number;
};

export type HttpCheck = CheckBase & {
  kind: 'http';
  method: 'GET' | 'HEAD' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string;
  expect: {
    status: number[];
    /** Dotted path → value it must equal. */
    json: Record<string, string | number | boolean | null>;
    /** Header name (lower case) → text it must contain. */
    headers: Record<string, string>;
    latency?: { percentile: number; ms: number; samples: number };
  };
};

type StartupCheck = CheckBase & { kind: 'startup' };

export type LogsCheck = CheckBase & {
  kind: 'logs';
  /** RE2 patterns over the entries' text. */
  absent: string[];
  present: string[];
  /** Entries at or above this severity fail the check; unset = not looked at. */
  maxSeverity?: 'WARNING' | 'ERROR' | 'CRITICAL';
  /** Errors that the revision that served before did not log fail the check. */
  regressions: boolean;
  /** How long after the stage's start the log is watched. */
  windowSeconds: number;
};

export type ManualCheck = CheckBase & {
  kind: 'manual';
  question: string;
};

export type CheckSpec = HttpCheck | StartupCheck | LogsCheck | ManualCheck;
