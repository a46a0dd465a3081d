import { z } from 'zod';

export const checkKinds = [
  'http',
  'startup',
  'logs',
  'websocket',
  'suite',
  'command',
  'imports',
  'manual',
] as const;

/** One step of a websocket message: how it went, and its milliseconds when it was measured. */
const stepSchema = z.object({
  status: z.enum(['passed', 'failed', 'not-reached']),
  ms: z.number().nullable(),
  detail: z.string(),
});

/** A row of the websocket matrix: one kind of message, step by step. */
const messageSchema = z.object({
  type: z.string(),
  connection: stepSchema,
  auth: stepSchema,
  processing: stepSchema,
  response: stepSchema,
  /** Expected events that came, that did not come, and others that came; bounded. */
  seen: z.array(z.string()),
  missing: z.array(z.string()),
  unexpected: z.array(z.string()),
});

/** A component as an error envelope of the service names it: `1005 Database failed`. */
const componentSchema = z.object({
  code: z.string(),
  component: z.string(),
  message: z.string(),
  status: z.string(),
  details: z.string(),
});

/** One test of a suite. */
const caseSchema = z.object({
  name: z.string(),
  phase: z.string(),
  status: z.enum(['passed', 'failed', 'skipped']),
  seconds: z.number(),
  /** Why it looks unreal or what failed; '' otherwise. */
  detail: z.string(),
});

/** One phase of a suite; a skipped one was not run, and its reason says why. */
const suitePhaseSchema = z.object({
  name: z.string(),
  status: z.enum(['passed', 'failed', 'skipped', 'inconclusive']),
  reason: z.string(),
  seconds: z.number(),
  /** How many of its tests came to what. */
  passed: z.number(),
  failed: z.number(),
  skipped: z.number(),
});

/** Not reported is never passed: `skipped` and `inconclusive` always say why. */
export const checkResultSchema = z.object({
  id: z.string(),
  kind: z.enum(checkKinds),
  stage: z.enum(['predeploy', 'candidate', 'post']),
  required: z.boolean(),
  status: z.enum(['passed', 'failed', 'skipped', 'inconclusive', 'pending']),
  /** One line: what was seen, and for a failure what was expected. */
  reason: z.string(),
  durationMs: z.number(),
  /** Set while a known failure stops nothing: until when (a day, UTC), and why. */
  expectedToFail: z.object({ until: z.string(), reason: z.string() }).exactOptional(),
  /** What a person types to decide it: of a manual check that waits, how to answer it. */
  next: z.string().exactOptional(),
  /** Measured figures worth keeping, e.g. `{p95Ms: 12, samples: 20}`. */
  figures: z.record(z.string(), z.number()).exactOptional(),
  /** insertIds of log entries that prove it, bounded. */
  entries: z.array(z.string()).exactOptional(),
  /** websocket: the matrix of messages, and the health of components as error envelopes tell it. */
  messages: z.array(messageSchema).exactOptional(),
  components: z.array(componentSchema).exactOptional(),
  /** suite: its phases, and of its tests the failed ones, those that look unreal and then the others; bounded. */
  phases: z.array(suitePhaseSchema).exactOptional(),
  cases: z.array(caseSchema).exactOptional(),
  /** command, suite, imports: the end of what the program printed, or what is missing; bounded. */
  output: z.array(z.string()).exactOptional(),
});

export type CheckResult = z.infer<typeof checkResultSchema>;
export type SuiteCase = z.infer<typeof caseSchema>;
export type SuitePhase = z.infer<typeof suitePhaseSchema>;
