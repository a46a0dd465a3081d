import { z } from 'zod';

/** The startup profile: what the logs of one revision say about its start. Shapes are a public contract. */

export const phaseSchema = z.object({
  name: z.string(),
  /** null while it has not ended and its log gives no time. */
  seconds: z.number().nullable(),
  /** Share of the total, 0–1, to three places; null without seconds. */
  share: z.number().nullable(),
  outcome: z.enum(['completed', 'failed', 'incomplete']),
});

export const systemSchema = z.object({
  name: z.string(),
  status: z.enum(['healthy', 'degraded', 'failed', 'not-reported']),
  detail: z.string(),
});

/** Something the logs show. `fatal` ends a start, `error` and `warning` did not stop it. */
export const findingSchema = z.object({
  severity: z.enum(['fatal', 'error', 'warning']),
  category: z.enum([
    'crash-loop',
    'exit',
    'port',
    'import',
    'database',
    'websocket',
    'request',
    'setting',
    'memory',
    'exception',
    'phase',
    'system',
    'condition',
    'warning',
    'error',
  ]),
  /** One line. */
  cause: z.string(),
  hint: z.string(),
  count: z.number(),
  firstSeen: z.string(),
  lastSeen: z.string(),
  /** insertIds, bounded. */
  entries: z.array(z.string()),
});

export const profileSchema = z.object({
  service: z.string(),
  revision: z.string(),
  outcome: z.enum(['started', 'failed', 'crash-loop', 'unknown']),
  totalSeconds: z.number().nullable(),
  phases: z.array(phaseSchema),
  systems: z.array(systemSchema),
  /** The finding that explains the others: the innermost cause, not the last line. */
  rootCause: findingSchema.nullable(),
  /** Fatal ones first, the root cause at their head. */
  findings: z.array(findingSchema),
});

export type Phase = z.infer<typeof phaseSchema>;
export type System = z.infer<typeof systemSchema>;
export type SystemStatus = System['status'];
export type Finding = z.infer<typeof findingSchema>;
export type FindingCategory = Finding['category'];
export type RevisionProfile = z.infer<typeof profileSchema>;
export type StartupOutcome = RevisionProfile['outcome'];

/** `omittedRevisions` counts those beyond the bound, where there are any. */
export type StartupReport = { version: 1; revisions: RevisionProfile[]; omittedRevisions?: number };
