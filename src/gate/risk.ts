import type { Plan } from '../plan/plan.ts';

export type Risk = { level: 'low' | 'medium' | 'high'; reasons: string[] };

type Reason = { level: Risk['level']; reason: string };

const rank = { low: 0, medium: 1, high: 2 } as const;

/** How much can go wrong, by what would change against what the target runs: the gravest reason decides. Pure. */
export function riskOf(plans: readonly Plan[]): Risk {
  const several = plans.length > 1;
  const reasons = plans.flatMap((plan) =>
    reasonsOf(plan).map(({ level, reason }) => ({
      level,
      reason: several ? `${plan.service}: ${reason}` : reason,
    })),
  );
  const highest = Math.max(0, ...reasons.map(({ level }) => rank[level]));
  const level = highest === 2 ? 'high' : highest === 1 ? 'medium' : 'low';
  const decisive = reasons.filter((one) => rank[one.level] === highest).map(({ reason }) => reason);
  return { level, reasons: decisive };
}

function reasonsOf(plan: Plan): Reason[] {
  if (plan.action === 'none') return [{ level: 'low', reason: 'nothing changes' }];
  const changes = [...plan.changes, ...plan.serviceWide];
  const isNew = plan.action === 'create';
  const grave = changes.flatMap(({ field, to }): Reason[] => {
    if (field === 'schema')
      return [{ level: 'high', reason: `the database schema changes to ${to ?? 'none'}` }];
    if (field !== databaseField || (isNew && !to)) return [];
    return [{ level: 'high', reason: isNew ? 'a database is attached' : 'the attached database changes' }];
  });
  if (isNew) return [...grave, { level: 'medium', reason: 'the service is new there' }];
  const config = changes.map(({ field }) => field).filter((field) => !told.has(field));
  return [
    ...grave,
    ...(config.length > 0 ? [medium(`configuration changes: ${config.join(', ')}`)] : []),
    ...changes.filter(({ field }) => field === 'image').map(() => low('the image changes')),
    ...(changes.length === 0 ? [low(plan.because)] : []),
  ];
}

const databaseField = 'container.cloudSql';
/** Fields with a reason of their own. */
const told: ReadonlySet<string> = new Set([databaseField, 'schema', 'image']);

const medium = (reason: string): Reason => ({ level: 'medium', reason });
const low = (reason: string): Reason => ({ level: 'low', reason });
