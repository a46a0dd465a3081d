import type { CheckResult } from '../checks/result.ts';
import type { CheckSpec, CheckStage } from '../config/check-spec.ts';
import type { ReleaseState, ServiceState } from '../release/state.ts';
import { retyped } from '../typed.ts';
import { awaited, type GateCondition, met, unmet, type Verdict, verdictOf } from './verdict.ts';

/** The checklists that the release had to run, by the name that its events give a service. */
export type Checklists = ReadonlyMap<string, readonly Pick<CheckSpec, 'id' | 'stages' | 'required'>[]>;

/**
 * Pure: from a release's evidence to its verdict. What is not in the evidence is not met: a check that was
 * never reported, a traffic that was never observed, a service of `checklists` that no event names.
 */
export function judgeDeploy(state: ReleaseState, checklists: Checklists): Verdict {
  const typed = commandsOf(state);
  const names = new Set([...checklists.keys(), ...state.services.keys()]);
  const judged = [...names].flatMap((name) => {
    const service = state.services.get(name);
    return service
      ? judgeService(service, checklists.get(name) ?? [], typed)
      : [unmet(`${name}.release`, 'the release did not reach this service', typed.again)];
  });
  if (judged.length === 0) judged.push(unmet('evidence', 'there is no evidence to judge'));
  return verdictOf(judged);
}

/** Pure: what a run of the checklist against what is live shows, of the checks that it had to run alone. */
export function judgeChecks(state: ReleaseState, checklists: Checklists): Verdict {
  const typed = commandsOf(state);
  const judged = [...checklists].flatMap(([name, checklist]) => {
    const service = state.services.get(name);
    if (!service) return [unmet(`${name}.release`, 'it was not reached', typed.again)];
    const revision = service.candidate?.revision ?? service.observed?.serving ?? null;
    const found = [
      judgeProof({ ...service, revision }, typed),
      ...demandsOf(service, checklist).map((demand) => judgeCheck(service, demand, typed)),
    ];
    return verdictOf(found).decision === 'blocked' ? found : [...found, ...judgeEnd(service)];
  });
  if (judged.length === 0) judged.push(unmet('evidence', 'there is no evidence to judge'));
  return verdictOf(judged);
}

/** The remedies, as whoever started the release would type them. */
type Commands = { again: string; other: (verb: string) => string };

function commandsOf({ started }: ReleaseState): Commands {
  const again = started?.command ?? `sluice ${started?.runbook ?? 'deploy'} ${started?.environment ?? ''}`;
  return { again, other: (verb) => retyped(again, verb) };
}

type Demand = { id: string; stage: CheckStage };

function judgeService(
  service: ServiceState,
  checklist: readonly Pick<CheckSpec, 'id' | 'stages' | 'required'>[],
  typed: Commands,
): GateCondition[] {
  const name = service.service;
  // What was verified before needs no new evidence; what people say of it may be new.
  if (service.plan?.action === 'none')
    return [
      met(`${name}.unchanged`, service.plan.because),
      ...demandsOf(service, []).map((demand) => judgeCheck(service, demand, typed)),
    ];
  return [
    // A rollback with --now asks for no start, and says so.
    ...(service.stages.startup?.outcome === 'skipped' ? [] : [judgeStart(service, typed)]),
    ...demandsOf(service, checklist).map((demand) => judgeCheck(service, demand, typed)),
    judgeTraffic(service, typed),
    judgeProof(service, typed),
    ...judgeEnd(service),
  ];
}

/** What was to be run and what was run beside it. Advisory checks are no conditions. */
function demandsOf(
  service: ServiceState,
  checklist: readonly Pick<CheckSpec, 'id' | 'stages' | 'required'>[],
): Demand[] {
  const listed = checklist
    .filter(({ required }) => required)
    .flatMap(({ id, stages }) => stages.map((stage) => ({ id, stage })));
  return distinct([...listed, ...service.checks.filter(({ required }) => required)]);
}

/** A release that stopped for another reason than its evidence, a conflict or an interruption, is not ready either. */
function judgeEnd({ service, finished }: ServiceState): GateCondition[] {
  if (finished?.outcome !== 'failed') return [];
  const [remedy] = finished.diagnosis?.next ?? [];
  return [unmet(`${service}.release`, finished.diagnosis?.cause ?? finished.reason, remedy)];
}

/** A log without a line of completion is made up for by a startup stage that saw all that was demanded. */
function judgeStart(
  { service, profile, startupDecidedBy, stages }: ServiceState,
  typed: Commands,
): GateCondition {
  const id = `${service}.started`;
  const remedy = typed.other('startup');
  const shown = (!profile || profile.outcome === 'unknown') && stages.startup?.outcome === 'done';
  if (profile?.outcome === 'started' || shown)
    return met(id, startupDecidedBy ?? (stages.startup?.note || 'it started'));
  const cause = profile?.rootCause ? `: ${profile.rootCause.cause}` : '';
  return unmet(
    id,
    profile ? `its startup is ${profile.outcome}${cause}` : 'its startup was not followed',
    remedy,
  );
}

/**
 * Every report of a check must have passed: a failure is not undone by another try. A known failure is met
 * until its day, and says so.
 */
function judgeCheck(service: ServiceState, { id: check, stage }: Demand, typed: Commands): GateCondition {
  const id = `${service.service}.check.${stage}.${check}`;
  const results = service.checks.filter((result) => result.id === check && result.stage === stage);
  const worst = results.toSorted((a, b) => weight(b) - weight(a))[0];
  // Before the build there was no revision that could have logged anything.
  const remedy = stage === 'predeploy' ? typed.again : typed.other('logs');
  if (!worst) return unmet(id, 'it was not reported', typed.again);
  if (worst.status === 'passed') return met(id, worst.reason);
  if (worst.expectedToFail) {
    const { until, reason } = worst.expectedToFail;
    return met(id, `${worst.status}, known until ${until} (${reason}): ${worst.reason}`);
  }
  if (worst.status === 'pending')
    return awaited(id, `pending: ${worst.reason}`, worst.next ?? typed.other('check'));
  return unmet(id, `${worst.status}: ${worst.reason}`, remedy);
}

/** A known failure weighs less than anything that counts, and more than a pass. */
function weight({ status, expectedToFail }: CheckResult): number {
  return expectedToFail ? 0.5 : badness[status];
}

const badness: Record<CheckResult['status'], number> = {
  passed: 0,
  pending: 1,
  skipped: 2,
  inconclusive: 3,
  failed: 4,
};

/** Settled is not enough: a restored traffic is settled too, on the former revision. */
function judgeTraffic(state: ServiceState, typed: Commands): GateCondition {
  const id = `${state.service}.traffic`;
  const remedy = typed.other('status');
  if (state.traffic.length === 0) return unmet(id, 'actual traffic was not observed', remedy);
  const split = splitOf(state);
  if (!state.trafficSettled) return unmet(id, `actual traffic is not what was asked for: ${split}`, remedy);
  const serving = state.traffic
    .filter(({ revision }) => revision === state.revision)
    .reduce((sum, { percent }) => sum + percent, 0);
  return serving === 100
    ? met(id, `actual traffic: ${split}`)
    : unmet(id, `${state.revision ?? 'the new revision'} serves ${serving} %: ${split}`, remedy);
}

function splitOf({ traffic }: ServiceState): string {
  return traffic
    .filter(({ percent }) => percent > 0)
    .map(({ revision, percent }) => `${revision} ${percent} %`)
    .join(', ');
}

function judgeProof({ service, revision, proof }: ServiceState, typed: Commands): GateCondition {
  const id = `${service}.answers`;
  const remedy = typed.other('status');
  if (!proof || proof.answers < 1) return unmet(id, 'nobody has proven which revision answers', remedy);
  if (proof.revision !== revision)
    return unmet(id, `${proof.revision} answers, not ${revision ?? 'a new revision'}`, remedy);
  return met(id, `${proof.answers} answers in a row came from ${proof.revision} (by ${proof.by})`);
}

function distinct(demands: readonly Demand[]): Demand[] {
  return [...new Map(demands.map((demand) => [`${demand.stage} ${demand.id}`, demand])).values()];
}
