import { z } from 'zod';

const conditionSchema = z.object({
  id: z.string(),
  met: z.boolean(),
  /** It is not met yet: a person is waited for. */
  pending: z.literal(true).exactOptional(),
  reason: z.string(),
  /** The next command or step when it is not met. */
  remedy: z.string().exactOptional(),
});

export const verdictSchema = z.object({
  decision: z.enum(['ready', 'pending', 'blocked']),
  conditions: z.array(conditionSchema),
});

export type GateCondition = z.infer<typeof conditionSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
