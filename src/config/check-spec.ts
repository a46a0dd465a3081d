import type { SecretRef } from '../cloud/ports/index.ts';

/** `predeploy`: before any build; `candidate`: on the new revision's own URL; `post`: on the service's, after the traffic has moved. */
export type CheckStage = 'predeploy' | 'candidate' | 'post';

type CheckBase = {
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
    latency?: LatencyDemand;
  };
};

export type LatencyDemand = { percentile: number; ms: number; samples: number };

export type WebsocketCheck = CheckBase & {
  kind: 'websocket';
  path: string;
  headers: Record<string, string>;
  subprotocols: string[];
  auth?: {
    as: 'bearer' | 'subprotocol';
    token: TokenRef;
    prefix: string;
    encoding: 'plain' | 'base64url';
  };
  handshakeSeconds: number;
  /** Tries to connect, with backoff; what was sent is not sent again. */
  connectAttempts: number;
  /** Dotted field that names the event of a message. */
  eventField: string;
  errors: ErrorShape;
  /** Asked when a handshake is refused. */
  health: string;
  messages: MessageSpec[];
};

/** A variable of whoever runs Sluice, or a version of a secret. */
export type TokenRef = { variable: string } | SecretRef;

/** Names of fields; `at` is a dotted path. */
export type ErrorShape = {
  event: string;
  at: string;
  code: string;
  component: string;
  message: string;
  components: string;
};

export type MessageSpec = {
  type: string;
  /** The frame's text. */
  send: string;
  /** In this order. */
  events: string[];
  /** May other events come? */
  others: boolean;
  deadlineSeconds: number;
  latency?: LatencyDemand;
  close?: { code?: number; reason?: string };
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

/** Where a program runs and what it is told; its arguments may hold `{url}` and `{junit}`. */
export type ProgramSpec = {
  /** Relative to the source folder. */
  dir: string;
  env: Record<string, string>;
};

export type CommandCheck = CheckBase &
  ProgramSpec & {
    kind: 'command';
    command: string[];
    /** The exit codes that are good. */
    exitCode: number[];
    /** RE2 patterns over what it prints. */
    output: { present: string[]; absent: string[] };
  };

export type SuiteCheck = CheckBase &
  ProgramSpec & {
    kind: 'suite';
    /** In order; `junit` is relative to `dir`, without it the path that `{junit}` gives. */
    phases: { name: string; command: string[]; junit?: string }[];
    /** Seconds that a percentile of the tests' durations may take. */
    latency: { p50?: number; p95?: number };
    /** The share (0–1) of failing tests that a phase is allowed. */
    tolerance: number;
  };

export type ImportsCheck = CheckBase &
  ProgramSpec & {
    kind: 'imports';
    language: 'node' | 'python';
    /** python: what is imported, and by which interpreter (an argv). */
    packages: string[];
    python: string[];
    /** Patterns as in .gitignore. */
    ignore: string[];
  };

export type CheckSpec =
  | HttpCheck
  | WebsocketCheck
  | StartupCheck
  | LogsCheck
  | CommandCheck
  | SuiteCheck
  | ImportsCheck
  | ManualCheck;
