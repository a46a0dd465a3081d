import { type CheckResult, waits } from '../checks/result.ts';
import type { CheckSpec } from '../config/check-spec.ts';
import { nearest } from '../config/problem.ts';
import type { Target } from '../config/target.ts';
import { SluiceError } from '../errors.ts';
import { judgeChecks } from '../gate/verdict-of.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { describeTraffic, namedTraffic, onlyServing } from '../plan/traffic.ts';
import type { RevisionProfile } from '../startup/profile.ts';
import { diagnose, failedStage, problemOf, reasonOf } from './diagnose.ts';
import { formerTrafficOf } from './former-traffic.ts';
import type { StageResult } from './journal.ts';
import { readStartup } from './read-startup.ts';
import { type ServiceRun, StageFailure, typed } from './run.ts';
import { conductRelease, type RunbookDeps, type RunbookRequest } from './runbook.ts';
import { end } from './service-end.ts';
import { fromNow, performChecks, proveRevision } from './stages/checks.ts';
import { type Found, findCandidate, findServing, readLive } from './stages/find-live.ts';
import type { ReleaseState } from './state.ts';

export type CheckRequest = Omit<RunbookRequest, 'runbook' | 'started' | 'lock'> & {
  stage: 'candidate' | 'post';
  /** The id of the one check to run. */
  only?: string | undefined;
};

/**
 * Runs the checklist against what is live, at any time: it takes no lock, writes nothing to the service, and is
 * recorded as evidence. With `only` it tells nothing of the other checks.
 */
export function check(request: CheckRequest, deps: RunbookDeps): Promise<ReleaseState> {
  const { only, stage } = request;
  if (only !== undefined) refuseUnknown(request.targets, only, request);
  const due = new Map(request.targets.map((target) => [target.key, dueOf(target.checklist, request)]));
  const targets = request.targets.filter(({ key }) => only === undefined || due.get(key)?.length);
  const checklists = new Map(targets.map(({ key }) => [key, due.get(key) ?? []]));
  return conductRelease(
    { ...request, targets, runbook: 'check', lock: false, started: only === undefined ? {} : { only } },
    deps,
    {
      work: async (runs) => {
        const askOf = (key: string) => ({ checklist: checklists.get(key) ?? [], stage, ledger: deps.ledger });
        await Promise.all(runs.map((run) => checkService(run, askOf(run.target.key))));
      },
      judge: (state) => judgeChecks(state, checklists),
    },
  );
}

/** Asked for one check that does not run here, nobody shall be told that all is well. */
function refuseUnknown(targets: readonly Target[], only: string, { stage, command }: CheckRequest): void {
  const all = targets.flatMap(({ checklist }) => checklist);
  const found = all.filter(({ id }) => id === only);
  if (found.some(({ stages }) => stages.includes(stage))) return;
  const elsewhere = found.flatMap(({ stages }) => stages).find((each) => each !== 'predeploy');
  if (elsewhere) {
    throw new SluiceError('usage', {
      what: `The check ${only} does not run in the stage ${stage}, but in ${elsewhere}.`,
      next: [typed({ command }, 'check', '--only', only, '--stage', elsewhere)],
    });
  }
  const ids = [...new Set(all.map(({ id }) => id))];
  const meant = nearest(only, ids);
  throw new SluiceError('usage', {
    what: found.length > 0 ? `The check ${only} runs before a build alone.` : `There is no check "${only}".`,
    why: `Checks here: ${ids.join(', ') || 'none'}.`,
    next: meant && meant !== only ? [typed({ command }, 'check', '--only', meant)] : [],
  });
}

/** The checks that are to run, in the stage alone that was asked for. */
function dueOf(checklist: readonly CheckSpec[], { only, stage }: CheckRequest): CheckSpec[] {
  return checklist
    .filter(({ id, stages }) => stages.includes(stage) && (only === undefined || id === only))
    .map((spec) => ({ ...spec, stages: [stage] }));
}

type Ask = { checklist: readonly CheckSpec[]; stage: CheckRequest['stage']; ledger: Ledger };

async function checkService(run: ServiceRun, ask: Ask): Promise<void> {
  const { journal, target } = run;
  const service = target.key;
  try {
    const found = await journal.stage(service, 'observe', async () => {
      const value = ask.stage === 'post' ? await findServing(run) : await findCandidate(run);
      return { value, note: `${value.made.name} at ${value.door.url}` };
    });
    const results = await journal.stage(service, ask.stage === 'post' ? 'checklist' : 'checks', () =>
      checkLive(run, found, ask),
    );
    const reason = results.some(waits) ? 'gate-pending' : 'done';
    end(run, { outcome: 'checked', reason, rolledBack: false, diagnosis: null });
  } catch (error) {
    endFailed(run, error);
  }
}

/** The log counts from the revision's birth, as in the deploy that made it. */
async function checkLive(
  run: ServiceRun,
  { live, made, door }: Found,
  { checklist, stage, ledger }: Ask,
): Promise<StageResult<CheckResult[]>> {
  await proveRevision(run, door, live, made.name);
  const formerTraffic =
    stage === 'post' ? await formerTrafficOf(run.target.key, made, live, ledger) : namedTraffic(live);
  const done = await performChecks(run, checklist, {
    ...{ stage, door, formerTraffic },
    revision: made.name,
    image: made.template.image,
    profile: checklist.some(({ kind }) => kind === 'startup') ? await profileOf(run, made.name) : null,
    log: { ...fromNow(run), historyFrom: new Date(made.createdAt) },
  });
  if (stage === 'post') await refuseMoved(run, made.name);
  return done;
}

function endFailed(run: ServiceRun, error: unknown): void {
  const service = run.target.key;
  const state = run.journal.state.services.get(service);
  const stage = failedStage(state);
  const reason = run.signal.aborted ? reasonOf(run.signal.reason) : reasonOf(error, stage);
  if (stage === 'observe' && !run.signal.aborted) {
    const { what, why, next = [typed(run, 'status')] } = problemOf(error);
    const problems = [{ what, ...(why ? { why } : {}), next: [...next] }];
    run.journal.emit({ type: 'preflight.failed', service, problems });
    end(run, { outcome: 'not-started', reason, rolledBack: false, diagnosis: null });
    return;
  }
  // Whatever was not run of a checklist has no result: there is nothing more to tell.
  const diagnosis = diagnose(error, state, () => [], { command: run.command, stages: [] });
  end(run, { outcome: 'failed', reason, rolledBack: false, diagnosis });
}

/** A revision may have started long ago: its log tells how. null when it does not. */
async function profileOf(run: ServiceRun, revision: string): Promise<RevisionProfile | null> {
  const [profile] = await readStartup(run.target, run, revision).catch((error: unknown) => {
    if (error instanceof SluiceError) return [];
    throw error;
  });
  if (!profile) return null;
  run.journal.emit({
    type: 'startup.finished',
    service: run.target.key,
    profile,
    decidedBy: 'its log, read again',
  });
  return profile;
}

/** What was found is of one revision: when another has taken its place meanwhile, nobody knows of which. */
async function refuseMoved(run: ServiceRun, revision: string): Promise<void> {
  const live = await readLive(run);
  const now = namedTraffic(live);
  if (onlyServing(now) === revision) return;
  throw new StageFailure('conflict', {
    what: `The traffic of ${run.target.key} was moved while it was checked: ${revision} served, now ${describeTraffic(now)}.`,
    next: [run.command],
  });
}
