import type { PersonsAnswer } from '../checks/context.ts';
import type { GateSpec } from '../config/gate-spec.ts';
import type { Plan } from '../plan/plan.ts';
import type { Evidence } from './evidence.ts';
import { frozenBy } from './freeze.ts';
import { type Approved, judgeApprovals } from './people.ts';
import { type Risk, riskOf } from './risk.ts';
import { type DemandedCheck, judgeSource, type SourceFacts } from './source-conditions.ts';
import {
  type Ancestry,
  judgeCommit,
  judgeLeaks,
  judgeResources,
  type Resource,
} from './target-conditions.ts';
import { type GateCondition, met, unmet, type Verdict, verdictOf } from './verdict.ts';

/** All that is known of one service of a promotion. */
export type ServiceFacts = {
  service: string;
  source: SourceFacts;
  /** null without one revision that serves. */
  evidence: Evidence | null;
  checklist: readonly DemandedCheck[];
  signatures: readonly PersonsAnswer[];
  /** Of the release that made the source's revision. */
  approvals: readonly Approved[];
  ancestry: Ancestry;
  /** What of the source's tests and of its own would reach the target. */
  leaks: { e2e: string[]; source: string[] };
  resources: readonly Resource[];
  place: { project: string; region: string };
  /** What would change in the target; null when nothing is known to be promoted. */
  plan: Plan | null;
};

export type PromotionFacts = {
  from: string;
  to: string;
  gate: GateSpec;
  services: readonly ServiceFacts[];
  now: Date;
  asked: { override: string | null; allowOlder: boolean; who: string };
  /** `check staging` → the command as it is typed here. */
  type: (words: string) => string;
};

/** What somebody decided against a condition: recorded, and shown for ever. */
type Override = { condition: string; why: string; who: string };

export type Judgement = { from: string; to: string; verdict: Verdict; risk: Risk; overrides: Override[] };

/**
 * May the source's revision go to the target? Pure: evidence in, verdict out. What is not shown is not met;
 * `--override` lifts a freeze and `--allow-older` the order of commits, nothing lifts a check or another's say.
 */
export function judgePromotion(facts: PromotionFacts): Judgement {
  const { from, to, services, asked } = facts;
  const overrides: Override[] = [];
  const lift = (condition: GateCondition, why: string | null): GateCondition => {
    if (condition.met || why === null) return condition;
    overrides.push({ condition: condition.id, why, who: asked.who });
    return met(condition.id, `${condition.reason}; overridden by ${asked.who}: ${why}`);
  };
  const conditions = [
    ...judgeRoad(facts),
    lift(judgeFreeze(facts), asked.override),
    ...services.flatMap((service) => judgeService(facts, service, lift)),
  ];
  const plans = services.flatMap(({ plan }) => plan ?? []);
  return { from, to, verdict: verdictOf(conditions), risk: riskOf(plans), overrides };
}

/** Is this the way into the target, and is there anything to take? */
function judgeRoad({ from, to, gate, services, type }: PromotionFacts): GateCondition[] {
  const road =
    gate.from === undefined || gate.from === from
      ? []
      : [unmet('source', `${to} is promoted from ${gate.from} only`, type(`promote ${gate.from} ${to}`))];
  return services.length > 0 ? road : [...road, unmet('services', `no service is in both ${from} and ${to}`)];
}

function judgeFreeze({ from, to, gate, now, type }: PromotionFacts): GateCondition {
  const [window] = frozenBy(gate.freeze, now);
  if (!window) return met('freeze', gate.freeze.length === 0 ? 'no window is set' : 'no window holds now');
  const remedy = type(`promote ${from} ${to} --override "…"`);
  return unmet('freeze', `${to} is frozen until ${window.until}: ${window.reason}`, remedy);
}

function judgeService(
  facts: PromotionFacts,
  own: ServiceFacts,
  lift: (condition: GateCondition, why: string | null) => GateCondition,
): GateCondition[] {
  const { from, to, gate, now, type, asked } = facts;
  const { service, source, evidence } = own;
  const { maxEvidenceAgeSeconds } = gate;
  const made = evidence?.made;
  const promote = type(`promote ${from} ${to}`);
  const mend = `mend sluice.yaml, then ${promote}`;
  const id = (name: string) => `${service}.${name}`;
  return [
    ...judgeSource({ ...own, environment: from, source, maxEvidenceAgeSeconds, now, type }),
    ...(made
      ? [
          judgeApprovals(
            id('approvals'),
            gate,
            { id: made.release, deployer: { git: made.who, account: made.account } },
            own.approvals,
            type(`approve ${made.release}`),
          ),
        ]
      : []),
    lift(
      judgeCommit(id('commit'), own.ancestry, to, type(`promote ${from} ${to} --allow-older`)),
      asked.allowOlder ? 'allowed by --allow-older' : null,
    ),
    judgeLeaks(id('e2e'), own.leaks.e2e, `nothing that opens ${service} to tests reaches ${to}`, mend),
    judgeLeaks(id('apart'), own.leaks.source, `nothing of ${from} is used in ${to}`, mend),
    ...judgeResources(service, own.resources, own.place, promote),
  ];
}
