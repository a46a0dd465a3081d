import type { LiveService } from '../cloud/ports/index.ts';
import { judgeDeploy } from '../gate/verdict-of.ts';
import { namedTraffic, onlyServing } from '../plan/traffic.ts';
import { commitsBrought } from './commits.ts';
import { reasonOf } from './diagnose.ts';
import { once } from './once.ts';
import type { RevisionLog } from './revision-log.ts';
import type { ServiceRun } from './run.ts';
import { conductRelease, type RunbookDeps, type RunbookRequest } from './runbook.ts';
import { end, markVerified, recover, reportStartup } from './service-end.ts';
import { build } from './stages/build.ts';
import { adoptCandidate, makeCandidate, type NamedPlan, named } from './stages/candidate.ts';
import { completePlan, type Observed, observe } from './stages/observe.ts';
import { predeploy } from './stages/predeploy.ts';
import { preflight } from './stages/preflight.ts';
import { awaitStartup } from './stages/startup.ts';
import { moveTraffic, refuseFatal } from './stages/traffic.ts';
import type { ReleaseState } from './state.ts';

export type DeployRequest = Omit<RunbookRequest, 'runbook'> & DeployOptions;

export type DeployOptions = {
  takeOverTraffic: boolean;
  /** Asked right before a service's first write; what it throws ends the service with nothing written. */
  admit?: (run: ServiceRun) => Promise<void>;
};

/** The deploy runbook: source to a verified revision that serves. */
export function deploy(request: DeployRequest, deps: RunbookDeps): Promise<ReleaseState> {
  const checklists = new Map(request.targets.map(({ key, checklist }) => [key, checklist]));
  const brought = once(() =>
    commitsBrought(deps, { ...request, cloud: deps.cloud.kind, commit: deps.actor.commit }),
  );
  return conductRelease({ ...request, runbook: 'deploy' }, deps, {
    work: async (runs, journal) => {
      await deployAll(runs, request, deps.release);
      const commits = await brought();
      if (commits.length > 0) journal.emit({ type: 'commits.found', commits });
    },
    judge: (state) => judgeDeploy(state, checklists),
    meanwhile: () => {
      deps.cloud.warm('logs');
      void loadFollowers();
      void brought();
    },
  });
}

export async function deployAll(runs: ServiceRun[], request: DeployOptions, release: string): Promise<void> {
  const options = { revisionSuffix: suffixOf(release), takeOverTraffic: request.takeOverTraffic };
  const clear = await preflight(runs, (run) => observe(run, options));
  const ready = clear && (await predeploy(clear));
  if (ready) {
    await Promise.all(ready.map(({ run, found }) => deployService(run, found, request)));
    return;
  }
  for (const run of runs) {
    const reason = run.signal.aborted ? reasonOf(run.signal.reason) : 'preflight';
    end(run, { outcome: 'not-started', reason, rolledBack: false, diagnosis: null });
  }
}

async function deployService(run: ServiceRun, observed: Observed, { admit }: DeployOptions): Promise<void> {
  const { journal, target } = run;
  const service = target.key;
  run.seen.live = observed.live;
  const planned = named(observed.plan);
  if (!planned) return unchanged(run, observed);
  const built = await journal
    .stage(service, 'build', () => build(run, planned, observed.source))
    .catch((error: unknown) => recover(run, planned, undefined, error));
  if (!built) return;
  const complete = completePlan(observed, built.image);
  journal.emit({ type: 'plan.made', service, plan: complete });
  const plan = named(complete);
  if (!plan) return unchanged(run, observed);
  try {
    await admit?.(run);
  } catch (error) {
    return recover(run, plan, undefined, error);
  }
  await rollOut(run, plan, built.image);
}

/** What a resumed release has behind it of the way from an image to a verified revision. */
export type Behind = {
  candidate: LiveService;
  /** When the candidate was asked for, in milliseconds since the epoch. */
  bornAt: number;
  /** It has started and passed its checks. */
  passed: boolean;
};

/** From an image to a verified revision that serves. Ends the run, whatever happens. */
export async function rollOut(
  run: ServiceRun,
  plan: NamedPlan,
  image: string,
  behind?: Behind,
): Promise<void> {
  const { journal } = run;
  const service = run.target.key;
  let log: RevisionLog | undefined;
  try {
    const { openRevisionLog, runStageChecks } = await loadFollowers();
    const watched = openRevisionLog(run, plan.revision, { bornAt: behind?.bornAt });
    log = watched;
    if (behind?.passed) {
      await watched.settle({ quietMs: 300, withinMs: 3_000 });
    } else {
      const candidate = behind
        ? adoptCandidate(run, plan, behind.candidate)
        : await journal.stage(service, 'candidate', () => makeCandidate(run, plan, image));
      const started = await journal.stage(service, 'startup', () =>
        awaitStartup(run, plan, candidate, watched),
      );
      reportStartup(run, plan, watched);
      await journal.stage(service, 'checks', () => runStageChecks(run, plan, started, watched, 'candidate'));
    }
    const moved = await journal.stage(service, 'traffic', () => moveTraffic(run, plan, watched));
    await journal.stage(service, 'checklist', () => runStageChecks(run, plan, moved, watched, 'post'));
    refuseFatal(run, plan.revision, watched);
    await markVerified(run, plan.revision);
    end(run, { outcome: 'deployed', reason: 'done', rolledBack: false, diagnosis: null });
  } catch (error) {
    await recover(run, plan, log, error);
  } finally {
    log?.close();
  }
}

/** The reader of a start's log and the checks are not needed before there is an image. */
export async function loadFollowers() {
  const [{ openRevisionLog }, { runStageChecks }] = await Promise.all([
    import('./revision-log.ts'),
    import('./stages/checks.ts'),
  ]);
  return { openRevisionLog, runStageChecks };
}

/** Nothing was built or written; but what people say of the revision that serves may be new. */
async function unchanged(run: ServiceRun, { live, revisions }: Observed): Promise<void> {
  const revision = revisions.find(({ name }) => live && name === onlyServing(namedTraffic(live)));
  try {
    if (live && revision && run.target.checklist.some(({ kind }) => kind === 'manual')) {
      const { askPeople } = await import('./stages/ask-people.ts');
      await run.journal.stage(run.target.key, 'checklist', () => askPeople(run, live, revision));
    }
    end(run, { outcome: 'unchanged', reason: 'done', rolledBack: false, diagnosis: null });
  } catch (error) {
    await recover(run, null, undefined, error);
  }
}

/** A revision's name says which release made it: `20261122T0231-staging-k3f9` gives `1122-0231-k3f9`. */
export function suffixOf(release: string): string {
  const [stamp = '', ...rest] = release.toLowerCase().split('-');
  const [date = '', time = ''] = stamp.split('t');
  return `r${date.slice(4)}-${time}-${rest.at(-1) ?? ''}`;
}
