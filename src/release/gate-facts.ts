import type { LiveService } from '../cloud/ports/index.ts';
import type { EnvironmentSpec } from '../config/environment.ts';
import type { Target } from '../config/target.ts';
import { digestIn, type Evidence, evidenceOf } from '../gate/evidence.ts';
import { type Arriving, e2eLeaks, sourceLeaks } from '../gate/leaks.ts';
import type { PromotionFacts, ServiceFacts } from '../gate/promotion.ts';
import type { SourceFacts } from '../gate/source-conditions.ts';
import type { Git } from '../git.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Statements } from '../ledger/statements.ts';
import { leftBehind } from '../plan/diff.ts';
import { marks, readMarks } from '../plan/marks.ts';
import type { Plan } from '../plan/plan.ts';
import { describeTraffic, namedTraffic, onlyServing, sameTraffic } from '../plan/traffic.ts';
import { type Commit, commitOf, recordsSince } from './evidence-records.ts';
import { askForResources, compareCommits } from './gate-questions.ts';
import { call, type ServiceRun } from './run.ts';
import { type Observed, observe } from './stages/observe.ts';
import { withoutPredeploy } from './stages/predeploy.ts';

/** One side of a promotion: the services of an environment, on their cloud. */
type Side = { targets: readonly Target[]; cloud: ServiceRun['cloud'] };

export type GateDeps = {
  source: Side;
  target: Side & { environment: EnvironmentSpec };
  ledger: Ledger;
  statements: Statements;
  git: Git;
  signal: AbortSignal;
  now: () => number;
};

export type GateRequest = {
  from: string;
  to: string;
  /** `sluice promote staging production`, as typed. */
  command: string;
  type: (words: string) => string;
  asked: PromotionFacts['asked'];
  takeOverTraffic: boolean;
};

/** A service that has something to promote. */
export type Promotable = {
  /** The target, with the source's very image as its given one. */
  target: Target;
  image: { reference: string; digest: string; copyTo: string | null };
  release: string;
  revision: string;
  built: Commit;
  runs: Commit;
  plan: Plan;
};

/** What the gate knows, and what would be promoted. */
export type Look = { facts: PromotionFacts; promotable: Promotable[] };

/** Asks both clouds, the ledger, people's statements and git; writes nothing. */
export async function lookAtGate(request: GateRequest, deps: GateDeps): Promise<Look> {
  const { source, target } = deps;
  const pairs = target.targets.flatMap((to) => {
    const from = source.targets.find(({ key }) => key === to.key);
    return from ? [{ from, to }] : [];
  });
  const looks = await Promise.all(pairs.map(({ from, to }) => lookAtService(from, to, request, deps)));
  return {
    facts: {
      ...{ from: request.from, to: request.to, gate: target.environment.gate },
      services: looks.map(({ facts }) => facts),
      now: new Date(deps.now()),
      ...{ asked: request.asked, type: request.type },
    },
    promotable: looks.flatMap(({ promotable }) => promotable ?? []),
  };
}

async function lookAtService(
  from: Target,
  to: Target,
  request: GateRequest,
  deps: GateDeps,
): Promise<{ facts: ServiceFacts; promotable: Promotable | null }> {
  const { ledger, statements } = deps;
  const found = await lookAtSource(from, deps);
  const evidence = await evidenceFor(from, found, ledger);
  const release = evidence?.made?.release ?? '';
  const image = imageFor(to, found.source, deps.target.environment);
  const target = image ? promoting(to, image.copyTo ?? image.reference) : null;
  const [there, signatures, approvals, built] = await Promise.all([
    lookAtTarget(target ?? to, target !== null, request, deps),
    statements.signatures({ environment: from.environment, service: from.key }),
    release ? statements.approvals(release) : [],
    commitOf(ledger, release || undefined, from.key),
  ]);
  const arriving = arrivingIn(to, there.live);
  const [ancestry, resources] = await Promise.all([
    compareCommits(built, there.runs, deps.git),
    askForResources(to, arriving, deps.target.cloud, deps.signal),
  ]);
  const facts: ServiceFacts = {
    service: to.key,
    ...{ source: found.source, evidence, checklist: from.checklist, signatures, approvals, ancestry },
    leaks: {
      e2e: e2eLeaks(from, to, arriving, deps.target.environment.e2eNames),
      source: sourceLeaks(from, to, arriving),
    },
    ...{ resources, place: to.ref, plan: there.observed?.plan ?? null },
  };
  const plan = there.observed?.plan;
  const { revision } = found.source;
  if (!target || !image || !plan || !revision) return { facts, promotable: null };
  const runs = there.runs ?? { commit: null, dirty: false };
  return { facts, promotable: { target, image, release, revision, built, runs, plan } };
}

/** The target with an image that was checked before it was built, where its source was. */
function promoting(to: Target, image: string): Target {
  return { ...to, build: { ...to.build, image }, checklist: withoutPredeploy(to.checklist) };
}

type FoundSource = { source: SourceFacts; madeBy: string | undefined };

async function lookAtSource({ ref }: Target, { source: { cloud }, signal }: GateDeps): Promise<FoundSource> {
  const live = await cloud.run.readService(ref, call({ signal }));
  const traffic = live ? namedTraffic(live) : [];
  const revision = onlyServing(traffic) ?? null;
  const found = revision ? await cloud.run.readRevision(ref, revision, call({ signal })) : undefined;
  const weighted = traffic.filter(({ percent }) => percent > 0);
  return {
    source: {
      revision,
      traffic: weighted.length > 0 ? describeTraffic(weighted) : '',
      settled: live !== undefined && sameTraffic(live.traffic, live.actualTraffic, live.latestReadyRevision),
      image: found?.template.image ?? '',
    },
    madeBy: found?.annotations[marks.release],
  };
}

async function evidenceFor(
  { environment, key: service }: Target,
  { source: { revision, image }, madeBy }: FoundSource,
  ledger: Ledger,
): Promise<Evidence | null> {
  if (!revision) return null;
  const records = await recordsSince(ledger, { environment, service }, madeBy);
  return evidenceOf({ environment, service, revision, digest: digestIn(image) }, records);
}

function imageFor(
  to: Target,
  { image }: SourceFacts,
  { image: how }: EnvironmentSpec,
): Promotable['image'] | null {
  const digest = digestIn(image);
  if (!digest) return null;
  const copy = `${to.build.repository}@${digest}`;
  return { reference: image, digest, copyTo: how === 'copy' && copy !== image ? copy : null };
}

type FoundTarget = { live: LiveService | undefined; observed: Observed | null; runs: Commit | null };

/** What would change in the target, and the commit that it runs; `runs` null: nothing serves there. */
async function lookAtTarget(
  target: Target,
  hasImage: boolean,
  { command, takeOverTraffic }: GateRequest,
  deps: GateDeps,
): Promise<FoundTarget> {
  const { cloud } = deps.target;
  const run = { target, cloud, signal: deps.signal, command };
  const options = { revisionSuffix: '<made-by-promote>', takeOverTraffic };
  const observed = hasImage ? await observe(run, options) : null;
  const live = observed ? observed.live : await cloud.run.readService(target.ref, call(run));
  const serving = live && onlyServing(namedTraffic(live));
  if (!live || namedTraffic(live).every(({ percent }) => percent === 0))
    return { live, observed, runs: null };
  const revision = serving ? await cloud.run.readRevision(target.ref, serving, call(run)) : undefined;
  const runs = await commitOf(deps.ledger, revision?.annotations[marks.release], target.key);
  return { live, observed, runs };
}

/** What the next revision would be made of: the config over what stays of the service as it is. */
function arrivingIn(target: Target, live: LiveService | undefined): Arriving {
  const gone = leftBehind(target, readMarks(live?.annotations ?? {}).owns);
  const stays = <V>(there: Record<string, V> | undefined, left: readonly string[]): Record<string, V> =>
    Object.fromEntries(Object.entries(there ?? {}).filter(([key]) => !left.includes(key)));
  return {
    env: { ...stays(live?.template.env, gone.env), ...target.env },
    secrets: { ...stays(live?.template.secrets, gone.secrets), ...target.secrets },
    cloudSql: target.cloudSql,
    headers: target.checklist.flatMap((check) => ('headers' in check ? Object.keys(check.headers) : [])),
  };
}
