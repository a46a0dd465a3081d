import { z } from 'zod';

/** Not reported is never passed: `skipped` and `inconclusive` always say why. */
export const checkResultSchema = z.object({
  id: z.string(),
  kind: z.enum(['http', 'startup', 'logs']),
  stage: z.enum(['candidate', 'post']),
  required: z.boolean(),
  status: z.enum(['passed', 'failed', 'skipped', 'inconclusive', 'pending']),
  /** One line: what was seen, and for a failure what was expected. */
  reason: z.string(),
  durationMs: z.number(),
  /** Measured figures worth keeping, e.g. `{p95Ms: 12, samples: 20}`. */
  figures: z.record(z.string(), z.number()).exactOptional(),
  /** insertIds of log entries that prove it, bounded. */
  entries: z.array(z.string()).exactOptional(),
});

export type CheckResult = z.infer<typeof checkResultSchema>;
