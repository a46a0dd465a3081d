import type { Cloud } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import { type ExitReason, exitCodes, isExitReason } from '../errors.ts';
import { judgeDeploy } from '../gate/verdict-of.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Locks } from '../ledger/lock.ts';
import { verifiedEdit } from '../plan/edits.ts';
import type { Plan } from '../plan/plan.ts';
import { reasonOf } from './diagnose.ts';
import type { DurableEvent, Stamped } from './events.ts';
import { writeGuarded } from './guarded-write.ts';
import { createJournal, type Journal } from './journal.ts';
import type { RevisionLog } from './revision-log.ts';
import type { ServiceRun } from './run.ts';
import { end, recover, reportStartup } from './service-end.ts';
import { build } from './stages/build.ts';
import { makeCandidate, type NamedPlan } from './stages/candidate.ts';
import { completePlan, type Observed, observe } from './stages/observe.ts';
import { preflight } from './stages/preflight.ts';
import { awaitStartup } from './stages/startup.ts';
import { moveTraffic, refuseFatal } from './stages/traffic.ts';
import type { ReleaseState } from './state.ts';

export type DeployRequest = {
  environment: string;
  targets: Target[];
  takeOverTraffic: boolean;
  /** The command as typed, for messages and the lock. */
  command: string;
};

export type DeployDeps = {
  cloud: Cloud;
  ledger: Ledger;
  locks: Locks;
  release: string;
  actor: { who: string; commit: string | null; dirty: boolean };
  version: string;
  listeners: readonly ((event: Stamped) => void)[];
  signal: AbortSignal;
  now: () => number;
  track: ServiceRun['track'];
  /** See ServiceRun: what the caller itself needs after the deploy. */
  meanwhile: () => void;
};

type ReleaseOutcome = Extract<DurableEvent, { type: 'release.finished' }>['outcome'];

/** A crashed holder loses its lock after this; a living one renews it. */
const leaseMs = 30_000;

/** The deploy runbook: everything it does and finds is an event; what it returns is their fold. */
export async function deploy(request: DeployRequest, deps: DeployDeps): Promise<ReleaseState> {
  const lock = await deps.locks.acquire(
    request.targets.map((target) => target.ref),
    { who: deps.actor.who, why: request.command, release: deps.release, leaseMs },
  );
  try {
    const signal = AbortSignal.any([deps.signal, lock.lost]);
    const journal = createJournal({
      release: deps.release,
      recorder: deps.ledger.begin(deps.release),
      now: deps.now,
      listeners: deps.listeners,
      secrets: request.targets.flatMap((target) =>
        Object.values({ ...target.e2e.env, ...target.e2e.headers }),
      ),
    });
    journal.emit({
      type: 'release.started',
      runbook: 'deploy',
      environment: request.environment,
      cloud: deps.cloud.kind,
      services: request.targets.map((target) => target.key),
      ...deps.actor,
      sluice: deps.version,
    });
    const runs = request.targets.map(
      (target): ServiceRun => ({
        target,
        cloud: deps.cloud,
        journal,
        signal,
        now: deps.now,
        track: deps.track,
        meanwhile: () => {
          deps.cloud.warm('logs');
          void loadFollowers();
          deps.meanwhile();
        },
        command: request.command,
        seen: { live: undefined, wrote: false, unanswered: [] },
      }),
    );
    await deployAll(runs, request, deps.release);
    conclude(journal, request.targets);
    await journal.flush();
    return journal.state;
  } finally {
    await lock.release();
  }
}

/** Nothing is built or written anywhere before every service has passed its preflight. */
async function deployAll(runs: ServiceRun[], request: DeployRequest, release: string): Promise<void> {
  const options = { revisionSuffix: suffixOf(release), takeOverTraffic: request.takeOverTraffic };
  const ready = await preflight(runs, (run) => observe(run, options));
  if (ready) {
    await Promise.all(ready.map(({ run, found }) => deployService(run, found)));
    return;
  }
  for (const run of runs) {
    const reason = run.signal.aborted ? reasonOf(run.signal.reason) : 'preflight';
    end(run, { outcome: 'not-started', reason, rolledBack: false, diagnosis: null });
  }
}

async function deployService(run: ServiceRun, observed: Observed): Promise<void> {
  const { journal, target } = run;
  const service = target.key;
  let plan: NamedPlan | null = named(observed.plan);
  let log: RevisionLog | undefined;
  run.seen.live = observed.live;
  try {
    if (!plan) return unchanged(run);
    const planned = plan;
    const { image } = await journal.stage(service, 'build', () => build(run, planned, observed.source));
    const complete = completePlan(observed, image);
    journal.emit({ type: 'plan.made', service, plan: complete });
    plan = named(complete);
    if (!plan) return unchanged(run);
    const made = plan;
    const { openRevisionLog, runStageChecks } = await loadFollowers();
    const watched = openRevisionLog(run, made.revision);
    log = watched;
    const candidate = await journal.stage(service, 'candidate', () => makeCandidate(run, made, image));
    const started = await journal.stage(service, 'startup', () =>
      awaitStartup(run, made, candidate, watched),
    );
    reportStartup(run, made, watched);
    await journal.stage(service, 'checks', () => runStageChecks(run, made, started, watched, 'candidate'));
    const moved = await journal.stage(service, 'traffic', () => moveTraffic(run, made, watched));
    await journal.stage(service, 'checklist', () => runStageChecks(run, made, moved, watched, 'post'));
    refuseFatal(run, made.revision, watched);
    await markVerified(run, made.revision);
    end(run, { outcome: 'deployed', reason: 'done', rolledBack: false, diagnosis: null });
  } catch (error) {
    await recover(run, plan, log, error);
  } finally {
    log?.close();
  }
}

/** The reader of a start's log and the checks are not needed before there is an image. */
async function loadFollowers() {
  const [{ openRevisionLog }, { runStageChecks }] = await Promise.all([
    import('./revision-log.ts'),
    import('./stages/checks.ts'),
  ]);
  return { openRevisionLog, runStageChecks };
}

function named(plan: Plan): NamedPlan | null {
  return plan.revision === null ? null : { ...plan, revision: plan.revision };
}

function unchanged(run: ServiceRun): void {
  end(run, { outcome: 'unchanged', reason: 'done', rolledBack: false, diagnosis: null });
}

/** The last write of a success: from now on any machine sees that this revision has a passed verdict. */
async function markVerified(run: ServiceRun, revision: string): Promise<void> {
  const service = run.target.key;
  const { live } = await writeGuarded(run, {
    edit: () => verifiedEdit(run.journal.release, revision),
    intent: (etag) => ({ type: 'mark.intended', service, verified: revision, etag }),
  });
  run.journal.emit({ type: 'mark.observed', service, verified: revision, etag: live.etag });
}

/** Folds the services' ends into the release's: the gravest failure gives the exit code. */
function conclude(journal: Journal, targets: Target[]): void {
  const ends = [...journal.state.services.values()].flatMap(({ finished }) => finished ?? []);
  const failures = ends.filter(({ outcome }) => outcome === 'failed' || outcome === 'not-started');
  const reasons = failures.map(({ reason }) => (isExitReason(reason) ? reason : 'unknown'));
  const reason = gravest.find((each) => reasons.includes(each)) ?? reasons[0] ?? 'done';
  const changed = ends.some(({ outcome }) => outcome === 'deployed');
  const verdict = judgeDeploy(journal.state, new Map(targets.map(({ key, checklist }) => [key, checklist])));
  journal.emit({
    type: 'release.finished',
    outcome: outcomeOf(reason, changed),
    exitCode: exitCodes[reason],
    rolledBack: failures.some(({ rolledBack }) => rolledBack),
    verdict,
  });
}

/** Before any other failure: nobody knows what serves, the user stopped it, somebody else is at work. */
const gravest: readonly ExitReason[] = ['unknown', 'interrupted', 'conflict'];

function outcomeOf(reason: ExitReason, changed: boolean): ReleaseOutcome {
  if (reason === 'done') return changed ? 'succeeded' : 'unchanged';
  return reason === 'unknown' || reason === 'interrupted' ? reason : 'failed';
}

/** A revision's name says which release made it: `20261122T0231-staging-k3f9` gives `1122-0231-k3f9`. */
function suffixOf(release: string): string {
  const [stamp = '', ...rest] = release.toLowerCase().split('-');
  const [date = '', time = ''] = stamp.split('t');
  return `r${date.slice(4)}-${time}-${rest.at(-1) ?? ''}`;
}
