import { z } from 'zod';

const conditionSchema = z.object({
  id: z.string(),
  met: z.boolean(),
  reason: z.string(),
  /** The next command or step when it is not met. */
  remedy: z.string().exactOptional(),
  /** Not met, and nothing is wrong: a person is waited for. */
  pending: z.literal(true).exactOptional(),
});

export const verdictSchema = z.object({
  decision: z.enum(['ready', 'pending', 'blocked']),
  conditions: z.array(conditionSchema),
});

export type GateCondition = z.infer<typeof conditionSchema>;
export type Verdict = z.infer<typeof verdictSchema>;

/** Ready when all are met, pending when only people are waited for. No condition at all is no readiness. */
export function verdictOf(conditions: readonly GateCondition[]): Verdict {
  const open = conditions.filter(({ met }) => !met);
  const ready = conditions.length > 0 && open.length === 0;
  const waiting = open.length > 0 && open.every(({ pending }) => pending);
  return { decision: ready ? 'ready' : waiting ? 'pending' : 'blocked', conditions: [...conditions] };
}

export function met(id: string, reason: string): GateCondition {
  return { id, met: true, reason };
}

export function unmet(id: string, reason: string, remedy?: string): GateCondition {
  return remedy === undefined ? { id, met: false, reason } : { id, met: false, reason, remedy };
}

/** A person is waited for. */
export function awaited(id: string, reason: string, remedy: string): GateCondition {
  return { id, met: false, reason, remedy, pending: true };
}
