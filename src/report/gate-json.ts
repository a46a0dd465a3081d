import { z } from 'zod';
import { verdictSchema } from '../gate/verdict.ts';
import { planSchema } from '../plan/plan.ts';
import type { Judged } from '../release/promote.ts';

/** What `sluice gate --json` and `sluice promote --dry-run --json` print: a contract that scripts rely on. */
export const gateDocumentSchema = z.strictObject({
  version: z.literal(1),
  from: z.string(),
  to: z.string(),
  decision: verdictSchema.shape.decision,
  conditions: verdictSchema.shape.conditions,
  risk: z.strictObject({ level: z.enum(['low', 'medium', 'high']), reasons: z.array(z.string()) }),
  overrides: z.array(z.strictObject({ condition: z.string(), why: z.string(), who: z.string() })),
  /** What would be promoted. */
  services: z.array(
    z.strictObject({ name: z.string(), release: z.string(), revision: z.string(), image: z.string() }),
  ),
  /** With --dry-run: what would change in the target. */
  plans: z.array(planSchema).exactOptional(),
});

type GateDocument = z.infer<typeof gateDocumentSchema>;

export function gateDocument({ judgement, promotable }: Judged, withPlans: boolean): GateDocument {
  const { from, to, verdict, risk, overrides } = judgement;
  return {
    ...{ version: 1, from, to, ...verdict, risk, overrides },
    services: promotable.map(({ target, release, revision, image }) => ({
      ...{ name: target.key, release, revision },
      image: image.copyTo ?? image.reference,
    })),
    ...(withPlans ? { plans: promotable.map(({ plan }) => plan) } : {}),
  };
}
