import { z } from 'zod';

/** The profile's shapes at the borders where it is read back: the ledger and `--events`. */
export const phaseSchema = z.object({
  name: z.string(),
  seconds: z.number().nullable(),
  share: z.number().nullable(),
  outcome: z.enum(['completed', 'failed', 'incomplete']),
});

export const systemSchema = z.object({
  name: z.string(),
  status: z.enum(['healthy', 'degraded', 'failed', 'not-reported']),
  detail: z.string(),
});

export const findingSchema = z.object({
  severity: z.enum(['fatal', 'error', 'warning']),
  category: z.string(),
  cause: z.string(),
  hint: z.string(),
  count: z.number(),
  firstSeen: z.string(),
  lastSeen: z.string(),
  entries: z.array(z.string()),
});

export const profileSchema = z.object({
  service: z.string(),
  revision: z.string(),
  outcome: z.enum(['started', 'failed', 'crash-loop', 'unknown']),
  totalSeconds: z.number().nullable(),
  phases: z.array(phaseSchema),
  systems: z.array(systemSchema),
  rootCause: findingSchema.nullable(),
  findings: z.array(findingSchema),
});
