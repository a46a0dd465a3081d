import { isDeepStrictEqual } from 'node:util';
import type { LiveService } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import { type ExitReason, type Problem, SluiceError } from '../errors.ts';
import { judgeDeploy } from '../gate/verdict-of.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { loadFollowers, rollOut, suffixOf } from './deploy.ts';
import { diagnose, problemOf, reasonOf, reasonOfStage } from './diagnose.ts';
import { stagesOf } from './events.ts';
import { readableRecord } from './resumable.ts';
import { type ResumePoint, resumePoint } from './resume-point.ts';
import { call, type ServiceRun, StageFailure, typed } from './run.ts';
import { conductRelease, type RunbookDeps, type RunbookRequest } from './runbook.ts';
import { end, recover } from './service-end.ts';
import { observe } from './stages/observe.ts';
import { refuse } from './stages/preflight.ts';
import type { ReleaseState } from './state.ts';

export type ResumeRequest = Pick<RunbookRequest, 'environment' | 'targets' | 'command'> & {
  /** The command itself, as typed. */
  resumes: string;
};

/**
 * Goes on with a release whose process died, from what its record and the live service tell together. One that has
 * ended is given back as it is.
 */
export async function resume(request: ResumeRequest, deps: RunbookDeps): Promise<ReleaseState> {
  const { state, runbook } = await readableRecord(request, deps);
  if (state.finished) {
    sayEnded(state, deps);
    return state;
  }
  const targets = targetsOf(state, request.targets);
  const checklists = new Map(targets.map(({ key, checklist }) => [key, checklist]));
  return conductRelease({ ...request, targets, runbook }, deps, {
    work: resumeAll,
    judge: (found) => judgeDeploy(found, checklists),
    meanwhile: () => {
      deps.cloud.warm('logs');
      void loadFollowers();
    },
  });
}

function sayEnded({ id }: ReleaseState, { listeners, now }: RunbookDeps): void {
  const note = `release ${id} has ended already: nothing was done`;
  const event = { type: 'notice', service: null, note } as const;
  const at = new Date(now()).toISOString();
  for (const listener of listeners) listener({ v: 1, release: id, seq: 0, at, event });
}

function targetsOf(state: ReleaseState, targets: readonly Target[]): Target[] {
  return [...state.services.keys()].map((service) => {
    const target = targets.find(({ key }) => key === service);
    if (target) return target;
    throw new SluiceError('usage', {
      what: `Release ${state.id} is about ${service}, which sluice.yaml no longer has.`,
      next: ['put it back, then run the command again'],
    });
  });
}

/** Every service is looked at before anything is done to one: who cannot be seen stops all of it. */
async function resumeAll(runs: ServiceRun[]): Promise<void> {
  const found = await Promise.all(
    runs.map(async (run) => {
      const live = await run.cloud.run.readService(run.target.ref, call(run));
      const { release, state } = run.journal;
      return { run, live, point: resumePoint(state.services.get(run.target.key), release, live) };
    }),
  );
  await Promise.all(found.map(({ run, live, point }) => resumeService(run, live, point)));
}

async function resumeService(
  run: ServiceRun,
  live: LiveService | undefined,
  point: ResumePoint,
): Promise<void> {
  const { journal, target } = run;
  const former = journal.state.services.get(target.key);
  if (point.kind === 'ended') return;
  await journal.stage(target.key, 'observe', async () => ({ value: undefined, note: describe(point) }));
  Object.assign(run.seen, { live, wrote: wroteBy(point) });
  switch (point.kind) {
    case 'nothing':
      return notStarted(run, 'interrupted', {
        what: `Release ${journal.release} had built and written nothing when its process died.`,
        next: [run.command],
      });
    case 'built':
      if (journal.state.started?.runbook === 'promote') return askTheGateAgain(run);
      return goOnFromImage(run, live, point);
    case 'candidate':
    case 'moved': {
      if (!live) throw new Error(`${target.key} was found and is not there`);
      const bornAt = Date.parse(former?.candidateIntended?.at ?? '');
      const passed = point.kind === 'moved';
      const rest = passed ? withStepsFrom(run, point.percent) : run;
      return rollOut(rest, point.plan, point.image, { candidate: live, bornAt, passed });
    }
    case 'verified':
      return end(run, { outcome: 'deployed', reason: 'done', rolledBack: false, diagnosis: null });
    case 'failed':
      return recover(run, point.plan, undefined, failureOf(point));
    case 'foreign':
      return leaveToOthers(run, point.why);
  }
}

function describe(point: Exclude<ResumePoint, { kind: 'ended' }>): string {
  switch (point.kind) {
    case 'nothing':
      return 'nothing was built or written';
    case 'built':
      return 'the image is built';
    case 'candidate':
      return `${point.plan.revision} is made`;
    case 'moved':
      return `${point.plan.revision} has ${point.percent} % of the traffic`;
    case 'verified':
      return 'all was done but to say so';
    case 'failed':
      return `it had failed${point.stage ? ` in ${point.stage}` : ''}`;
    case 'foreign':
      return 'somebody else has changed the service since';
  }
}

function wroteBy({ kind }: ResumePoint): boolean {
  return kind === 'candidate' || kind === 'moved' || kind === 'failed';
}

function notStarted(run: ServiceRun, reason: ExitReason, problem: Problem): void {
  refuse(run, [problem]);
  end(run, { outcome: 'not-started', reason, rolledBack: false, diagnosis: null });
}

/** Evidence may have been voided since: nothing of a promotion is written without the gate. */
function askTheGateAgain(run: ServiceRun): void {
  const { release, state } = run.journal;
  notStarted(run, 'interrupted', {
    what: `Promotion ${release} had written nothing when its process died.`,
    why: 'Before its first write the gate is judged anew.',
    next: [state.started?.command ?? run.command],
  });
}

/** The candidate is made only if the plan is still the one that the release began with. */
async function goOnFromImage(
  run: ServiceRun,
  live: LiveService | undefined,
  { plan: former, image }: Extract<ResumePoint, { kind: 'built' }>,
): Promise<void> {
  const { journal, target } = run;
  const unchanged = (live?.generation ?? '') === journal.state.services.get(target.key)?.generation;
  try {
    const observed = await observe(
      { ...run, target: { ...target, build: { ...target.build, image } } },
      // What the first process was allowed to take over is still as it was.
      { revisionSuffix: suffixOf(journal.release), takeOverTraffic: unchanged },
    );
    const inputs = { ...observed.inputs, target, source: former.image.source };
    const plan = makePlan({ ...inputs, image: { from: former.image.from, reference: image } });
    journal.emit({ type: 'plan.made', service: target.key, plan });
    // As recorded: values that are secret are left out there.
    const made = journal.state.services.get(target.key)?.plan;
    if (plan.action === 'none') {
      return end(run, { outcome: 'unchanged', reason: 'done', rolledBack: false, diagnosis: null });
    }
    if (plan.blockers.length > 0 || !made || !sameIntent(made, former)) {
      return notStarted(run, 'preflight', {
        what: `${target.key} would no longer become what release ${journal.release} began to make.`,
        why: 'sluice.yaml, the variables of the command or the service have changed since.',
        next: [run.command],
      });
    }
    run.seen.live = observed.live;
    await rollOut(run, { ...plan, revision: former.revision }, image);
  } catch (error) {
    const { signal } = run;
    return notStarted(run, signal.aborted ? reasonOf(signal.reason) : 'preflight', problemOf(error));
  }
}

function sameIntent(one: Plan, other: Plan): boolean {
  const intent = ({ action, first, changes, serviceWide, revision, tag, formerTraffic }: Plan) => ({
    ...{ action, first, serviceWide, revision, tag, formerTraffic },
    // Known only after the build.
    changes: changes.filter(({ field }) => field !== 'image'),
  });
  return isDeepStrictEqual(intent(one), intent(other));
}

/** Steps of the rollout that are done already are not gone back to. */
function withStepsFrom(run: ServiceRun, percent: number): ServiceRun {
  const { rollout } = run.target;
  const steps = rollout.steps.filter((step) => step >= percent);
  return { ...run, target: { ...run.target, rollout: { ...rollout, steps } } };
}

/** What stopped the release before its process died, as far as the record tells. */
function failureOf({ stage, why }: Extract<ResumePoint, { kind: 'failed' }>): StageFailure {
  return new StageFailure(stage ? reasonOfStage(stage) : 'interrupted', {
    what: why || 'The release was being taken back when its process died.',
  });
}

/** Their newer state is not overwritten, and nothing is written beside it. */
function leaveToOthers(run: ServiceRun, why: string): void {
  const { service } = run.target.ref;
  const conflict = new SluiceError('conflict', {
    what: `Somebody else has changed ${service} since this release was interrupted, so nothing more was written.`,
    why,
    next: [typed(run, 'status'), run.command],
  });
  const state = run.journal.state.services.get(run.target.key);
  const diagnosis = diagnose(conflict, state, () => [], {
    command: run.command,
    stages: stagesOf[run.journal.state.started?.runbook ?? 'deploy'],
  });
  end(run, { outcome: 'failed', reason: 'conflict', rolledBack: false, diagnosis });
}
