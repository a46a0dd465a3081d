import type { PersonsAnswer } from '../checks/context.ts';
import { judgeAnswers } from '../checks/manual.ts';
import type { CheckResult } from '../checks/result.ts';
import type { CheckStage } from '../config/check-spec.ts';
import type { CheckReport, Evidence } from './evidence.ts';
import { awaited, type GateCondition, met, unmet } from './verdict.ts';

/** The source environment's service as Cloud Run has it. */
export type SourceFacts = {
  /** The only revision that serves; null for a split, or when nothing does. */
  revision: string | null;
  /** `chat-r2 100 %` */
  traffic: string;
  /** Desired is actual. */
  settled: boolean;
  /** The serving revision's, by digest; '' when none serves. */
  image: string;
};

/** A check of the source's checklist. */
export type DemandedCheck = {
  id: string;
  kind: CheckResult['kind'];
  stages: readonly CheckStage[];
  required: boolean;
  /** Of a manual check. */
  question?: string;
};

export type SourceGiven = {
  service: string;
  environment: string;
  source: SourceFacts;
  evidence: Evidence | null;
  checklist: readonly DemandedCheck[];
  signatures: readonly PersonsAnswer[];
  maxEvidenceAgeSeconds: number;
  now: Date;
  /** `check staging --only health` → the command as it is typed here. */
  type: (words: string) => string;
};

/** Is what serves in the source environment what was checked, and did it pass? */
export function judgeSource(given: SourceGiven): GateCondition[] {
  const { service, environment, source, evidence, type } = given;
  const serves = judgeServes(given);
  if (!evidence || !source.revision) return [serves];
  const again = type(`deploy ${environment}`);
  const id = (name: string) => `${service}.${name}`;
  const { startup } = evidence;
  return [
    serves,
    judgeRecord(id('evidence'), evidence, again),
    judgeDigest(id('digest'), source, evidence, again),
    startup?.started
      ? met(id('started'), startup.told)
      : unmet(id('started'), startup?.told ?? 'its startup was not followed', type(`startup ${environment}`)),
    judgeProof(id('answers'), evidence, again),
    ...demandsOf(given.checklist).map((demand) => judgeDemand(demand, given, evidence)),
  ];
}

function judgeServes({ service, environment, source, type }: SourceGiven): GateCondition {
  const id = `${service}.serves`;
  const look = type(`status ${environment}`);
  if (source.revision && source.settled) return met(id, `${source.revision} serves 100 % of ${environment}`);
  if (source.traffic === '')
    return unmet(id, `nothing serves in ${environment}`, type(`deploy ${environment}`));
  const told = source.settled ? 'not one revision serves it all' : 'the traffic is not yet what is desired';
  return unmet(id, `${told} in ${environment}: ${source.traffic}`, look);
}

function judgeRecord(id: string, { subject, made, damaged }: Evidence, again: string): GateCondition {
  const [broken] = damaged;
  if (broken) return unmet(id, `the record of ${broken} is damaged, so what it shows is not trusted`, again);
  if (!made) return unmet(id, `no record tells how ${subject.revision} was made`, again);
  return met(id, `${made.release} made ${subject.revision}${made.who ? `, by ${made.who}` : ''}`);
}

function judgeDigest(
  id: string,
  { image }: SourceFacts,
  { subject, made }: Evidence,
  again: string,
): GateCondition {
  if (!subject.digest) return unmet(id, `${image} is not named by its digest`, again);
  if (made && made.digest !== subject.digest) {
    return unmet(
      id,
      `${short(subject.digest)} serves, ${short(made.digest) || 'another image'} was checked`,
      again,
    );
  }
  return met(id, `${short(subject.digest)} is what was checked`);
}

function judgeProof(id: string, { subject, proof, trafficAt }: Evidence, again: string): GateCondition {
  if (trafficAt === null) return unmet(id, 'no record shows that it was given the traffic', again);
  if (proof?.revision === subject.revision && proof.answers > 0) {
    return met(id, `${proof.answers} answers in a row came from ${subject.revision}`);
  }
  return unmet(id, 'nobody has proven which revision answers since the traffic changed', again);
}

type Demand = Omit<DemandedCheck, 'stages' | 'required'> & { stage: CheckStage };

function demandsOf(checklist: readonly DemandedCheck[]): Demand[] {
  return checklist
    .filter(({ required }) => required)
    .flatMap(({ stages, ...check }) => stages.map((stage) => ({ ...check, stage })))
    .filter(({ id, kind }, at, all) => kind !== 'manual' || all.findIndex((one) => one.id === id) === at);
}

function judgeDemand(demand: Demand, given: SourceGiven, evidence: Evidence): GateCondition {
  const { service, environment, type } = given;
  if (demand.kind === 'manual') return judgeManual(demand, given, evidence);
  const id = `${service}.check.${demand.stage}.${demand.id}`;
  const report = evidence.reports.find((one) => one.id === demand.id && one.stage === demand.stage);
  // Only what runs on the service's own URL can be asked again; the rest needs a candidate.
  const again = type(
    demand.stage === 'post' ? `check ${environment} --only ${demand.id}` : `deploy ${environment}`,
  );
  return judgeReport(id, report, given, evidence, again);
}

/** By what people say now, not by what a release found that they had said then. */
function judgeManual(
  { id: item, question = item }: Demand,
  { service, environment, signatures, type }: SourceGiven,
  { subject }: Evidence,
): GateCondition {
  const id = `${service}.signed.${item}`;
  const remedy = type(`sign ${environment} ${item} --note "…"`);
  const { status, reason } = judgeAnswers({ id: item, question }, signatures, subject, remedy);
  if (status === 'passed') return met(id, reason);
  return status === 'pending' ? awaited(id, reason, remedy) : unmet(id, reason, remedy);
}

/** How far another machine's clock may be ahead. */
const clockSkewMs = 5 * 60_000;

/**
 * What passed before the traffic changed is about the start of this very image, and stays true; what is seen under
 * traffic must have been seen since, and not too long ago.
 */
function judgeReport(
  id: string,
  report: CheckReport | undefined,
  { now, maxEvidenceAgeSeconds }: SourceGiven,
  { trafficAt }: Evidence,
  again: string,
): GateCondition {
  if (!report) return unmet(id, 'it was not reported', again);
  const at = Date.parse(report.at);
  const { status, reason, expectedToFail: known } = report;
  const excused = status !== 'passed' && known !== undefined && now.toISOString().slice(0, 10) <= known.until;
  if (status === 'pending') return awaited(id, `pending: ${reason}`, again);
  if (status !== 'passed' && !excused) return unmet(id, `${status}: ${reason}`, again);
  if (!Number.isFinite(at) || at > now.getTime() + clockSkewMs) {
    return unmet(id, `it is dated ${report.at}, which is yet to come`, again);
  }
  if (report.stage === 'post' && (trafficAt === null || at < Date.parse(trafficAt))) {
    return unmet(id, 'it passed before the traffic last changed', again);
  }
  const age = Math.max(0, (now.getTime() - at) / 1000);
  if (report.stage === 'post' && age > maxEvidenceAgeSeconds) {
    return unmet(id, `it passed ${ago(age)}, more than ${span(maxEvidenceAgeSeconds)}`, again);
  }
  if (excused) return met(id, `a known failure until ${known.until}: ${known.reason}`);
  return met(id, `passed ${ago(age)}: ${reason}`);
}

const ago = (seconds: number) => `${span(seconds)} ago`;

function span(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

const short = (digest: string) => digest.slice(0, 19);
