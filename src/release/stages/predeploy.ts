import type { CheckContext, StageLog } from '../../checks/context.ts';
import { type CheckResult, stops, summariseChecks } from '../../checks/result.ts';
import type { CheckSpec } from '../../config/check-spec.ts';
import type { Problem } from '../../errors.ts';
import { programSetting } from '../check-context.ts';
import { problemOf } from '../diagnose.ts';
import type { StageResult } from '../journal.ts';
import { type ServiceRun, StageFailure } from '../run.ts';
import { type Ready, refuse } from './preflight.ts';
import { tokenReader } from './token.ts';

/**
 * The checks that need no revision, of every service, before anything is built anywhere. Undefined when one of them
 * stops the release: then nothing is built or written.
 */
export async function predeploy(ready: Ready[]): Promise<Ready[] | undefined> {
  const passed = await Promise.all(ready.map(passes));
  return passed.every(Boolean) ? ready : undefined;
}

async function passes({ run, found }: Ready): Promise<boolean> {
  const { journal, target } = run;
  const due = target.checklist.some(({ stages }) => stages.includes('predeploy'));
  if (!due || found.plan.revision === null) return true;
  const broken: CheckResult[] = [];
  try {
    await journal.stage(target.key, 'predeploy', () => checkSource(run, broken));
    return true;
  } catch (error) {
    if (!run.signal.aborted) refuse(run, broken.length > 0 ? broken.map(asProblem) : [problemOf(error)]);
    return false;
  }
}

async function checkSource(run: ServiceRun, broken: CheckResult[]): Promise<StageResult<void>> {
  const { runChecks } = await import('../../checks/run.ts');
  const context = sourceContext(run);
  const results = await run.track(
    runChecks(run.target.checklist, context, (event) => run.journal.emit(event)),
  );
  run.signal.throwIfAborted();
  broken.push(...results.filter(stops));
  const note = summariseChecks(results);
  if (broken.length > 0) throw new StageFailure('preflight', { what: note });
  return { value: undefined, note };
}

function asProblem({ id, status, reason }: CheckResult): Problem {
  return { what: `The predeploy check ${id} ${status === 'failed' ? 'failed' : `is ${status}`}: ${reason}` };
}

const nothingLogged = 'before the build there is no log';

const noLog: StageLog = {
  history: async () => {
    throw new Error(nothingLogged);
  },
  // biome-ignore lint/correctness/useYield: nothing comes of it but the error.
  watch: async function* () {
    throw new Error(nothingLogged);
  },
};

/** Before the build there is a source, and nothing that could be asked. */
function sourceContext(run: ServiceRun): CheckContext {
  const { target, signal } = run;
  return {
    service: target.key,
    stage: 'predeploy',
    url: '',
    revision: '',
    digest: '',
    headers: target.e2e.headers,
    token: tokenReader(run),
    profile: null,
    startup: target.startup,
    log: noLog,
    former: 'none',
    answers: async () => [],
    signCommand: () => '',
    now: () => new Date(run.now()),
    program: programSetting(run, ''),
    signal,
  };
}

/** What is left of a checklist where nothing is built: a working tree says nothing of an image made elsewhere. */
export function withoutPredeploy(checklist: readonly CheckSpec[]): CheckSpec[] {
  return checklist.flatMap((check): CheckSpec[] => {
    if (check.kind === 'manual') return [check];
    const stages = check.stages.filter((stage) => stage !== 'predeploy');
    return stages.length > 0 ? [{ ...check, stages }] : [];
  });
}
