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
  const fields = [...plan.changes, ...plan.serviceWide].map(({ field }) => field);
  const database = fields.filter((field) => field === 'container.cloudSql');
  const config = fields.filter((field) => field !== 'image' && field !== 'container.cloudSql');
  const hasDatabase = plan.changes.some(({ field, to }) => field === 'container.cloudSql' && to !== '');
  if (plan.action === 'create') {
    return [
      { level: 'medium', reason: 'the service is new there' },
      ...(hasDatabase ? [{ level: 'high' as const, reason: 'a database is attached' }] : []),
    ];
  }
  return [
    ...database.map(() => ({ level: 'high' as const, reason: 'the attached database changes' })),
    ...(config.length > 0
      ? [{ level: 'medium' as const, reason: `configuration changes: ${config.join(', ')}` }]
      : []),
    ...(fields.includes('image') ? [{ level: 'low' as const, reason: 'the image changes' }] : []),
    ...(fields.length === 0 ? [{ level: 'low' as const, reason: plan.because }] : []),
  ];
}
