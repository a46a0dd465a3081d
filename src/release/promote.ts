import { type ExitReason, SluiceError } from '../errors.ts';
import { type Judgement, judgePromotion } from '../gate/promotion.ts';
import { judgeDeploy } from '../gate/verdict-of.ts';
import { deployAll, loadFollowers } from './deploy.ts';
import { reasonOf } from './diagnose.ts';
import type { DurableEvent } from './events.ts';
import { type GateDeps, type GateRequest, type Look, lookAtGate, type Promotable } from './gate-facts.ts';
import { once } from './once.ts';
import { call, type ServiceRun } from './run.ts';
import { conductRelease, type RunbookDeps } from './runbook.ts';
import { end, recover } from './service-end.ts';
import type { ReleaseState } from './state.ts';

export type PromoteDeps = RunbookDeps & GateDeps;

/** The gate's judgement, and what it judged. */
export type Judged = Look & { judgement: Judgement };

/** What `sluice gate` and a dry run print: nothing is written. */
export async function judgeGate(request: GateRequest, deps: GateDeps): Promise<Judged> {
  const look = await lookAtGate(request, deps);
  return { ...look, judgement: judgePromotion(look.facts) };
}

/**
 * The promote runbook: the source's very image, with the target's config, through the same stages as a deploy. The
 * gate is judged before anything, and again under the lock right before the first write.
 */
export async function promote(request: GateRequest, deps: PromoteDeps): Promise<ReleaseState> {
  const judged = await judgeGate(request, deps);
  const { promotable, judgement } = judged;
  const images = new Map(promotable.map((one) => [one.target.key, one]));
  const targets = deps.target.targets.map((target) => images.get(target.key)?.target ?? target);
  const checklists = new Map(targets.map(({ key, checklist }) => [key, checklist]));
  const started = await beginning(request, promotable, deps);
  return conductRelease(
    { runbook: 'promote', environment: request.to, targets, command: request.command, started },
    { ...deps, actor: { ...deps.actor, ...commonCommit(promotable) } },
    {
      work: async (runs, journal) => {
        journal.emit(gateEvent(judgement));
        if (judgement.verdict.decision !== 'ready') return refuse(runs, judgement);
        if (!(await bringImages(runs, images))) return;
        const admit = once((run: ServiceRun) => judgeAgain(run, request, deps, judged));
        await deployAll(runs, { takeOverTraffic: request.takeOverTraffic, admit }, deps.release);
      },
      judge: (state) =>
        judgement.verdict.decision === 'ready' ? judgeDeploy(state, checklists) : judgement.verdict,
      meanwhile: () => {
        deps.target.cloud.warm('logs');
        void loadFollowers();
      },
    },
  );
}

function gateEvent({
  from,
  to,
  verdict,
  risk,
  overrides,
}: Judgement): Extract<DurableEvent, { type: 'gate.judged' }> {
  const told = { risk: risk.level, riskReasons: risk.reasons, overrides };
  return { type: 'gate.judged', from, to, verdict, ...told };
}

function refuse(runs: readonly ServiceRun[], { verdict }: Judgement): void {
  const reason: ExitReason = verdict.decision === 'pending' ? 'gate-pending' : 'gate-blocked';
  for (const run of runs) end(run, { outcome: 'not-started', reason, rolledBack: false, diagnosis: null });
}

/** Evidence may have been voided, or another release promoted, since the gate was judged: then nothing is written. */
async function judgeAgain(
  run: ServiceRun,
  request: GateRequest,
  deps: PromoteDeps,
  before: Judged,
): Promise<void> {
  const { judgement, promotable } = await judgeGate(request, deps);
  const next = [request.command.replace(/^sluice promote/, 'sluice gate'), request.command];
  for (const { target, image, revision } of before.promotable) {
    const now = promotable.find((one) => one.target.key === target.key);
    if (now?.image.digest === image.digest && now.revision === revision) continue;
    throw new SluiceError('gate-blocked', {
      what: `${request.from} no longer serves ${revision}, which was to be promoted, so nothing was written.`,
      why: now ? `It now serves ${now.revision}.` : 'No single revision serves all of it now.',
      next,
    });
  }
  const { decision, conditions } = judgement.verdict;
  if (decision === 'ready') return;
  run.journal.emit(gateEvent(judgement));
  throw new SluiceError(decision === 'pending' ? 'gate-pending' : 'gate-blocked', {
    what: 'The gate closed before anything was written.',
    why: conditions.flatMap(({ id, met, reason }) => (met ? [] : [`${id}: ${reason}`])).join('\n'),
    next,
  });
}

/** Copies the images that shall lie in the target's own project. False when one could not be: its service has ended. */
async function bringImages(
  runs: readonly ServiceRun[],
  images: ReadonlyMap<string, Promotable>,
): Promise<boolean> {
  const brought = await Promise.all(runs.map((run) => bringImage(run, images.get(run.target.key))));
  if (brought.every(({ failed }) => failed === undefined)) return true;
  for (const { run, failed } of brought) {
    if (failed) await recover(run, null, undefined, failed);
    else end(run, { outcome: 'not-started', reason: 'build', rolledBack: false, diagnosis: null });
  }
  return false;
}

async function bringImage(
  run: ServiceRun,
  promoted: Promotable | undefined,
): Promise<{ run: ServiceRun; failed?: unknown }> {
  const { target, cloud, journal } = run;
  const to = promoted?.image.copyTo;
  if (!promoted || !to) return { run };
  try {
    const registry = await cloud.registry();
    const { reference: from } = promoted.image;
    const copied = await registry.copy({ from, to: target.build.repository }, call(run));
    const note = `copied ${from} to ${to}: ${copied.blobs} blobs, ${copied.sent} of them sent`;
    journal.emit({ type: 'notice', service: target.key, note });
    return { run };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const problem = { what: `The image could not be copied to ${to}.`, why: said, next: [run.command] };
    return { run, failed: new SluiceError(reasonOf(error, 'build'), problem, { cause: error }) };
  }
}

const mostCommits = 100;

/** What the record says of where it all comes from; the commits as far as one history tells them. */
async function beginning({ from }: GateRequest, promotable: readonly Promotable[], { git }: PromoteDeps) {
  const releases = [...new Set(promotable.map(({ release }) => release))].filter(Boolean);
  const { commit } = commonCommit(promotable);
  const runs = [...new Set(promotable.map((one) => one.runs.commit))];
  const [former, ...others] = runs;
  const known = commit && former && others.length === 0;
  const commits = known ? await git.commitsBetween(former, commit, mostCommits) : [];
  return { from: { environment: from, releases }, ...(commits.length > 0 ? { commits } : {}) };
}

/** The commit that is promoted, which is seldom the one that lies here. */
function commonCommit(promotable: readonly Promotable[]): { commit: string | null; dirty: boolean } {
  const commits = new Set(promotable.map(({ built }) => built.commit));
  const [commit = null] = commits.size === 1 ? commits : [];
  return { commit, dirty: promotable.some(({ built }) => built.dirty) };
}
