import { CloudError, type CloudErrorKind } from '../../cloud/ports/index.ts';
import { type ExitReason, type Problem, SluiceError } from '../../errors.ts';
import { candidateEdit } from '../../plan/edits.ts';
import { describeTraffic, namedTraffic, onlyServing } from '../../plan/traffic.ts';
import { problemOf, reasonOf } from '../diagnose.ts';
import { call, type ServiceRun } from '../run.ts';
import { attachedInstances } from './attached-instances.ts';
import { namedSecrets } from './named-secrets.ts';
import type { Observed } from './observe.ts';

export type Ready<F = Observed> = { run: ServiceRun; found: F };

/** What a look at a service finds: enough to say how it is. */
type Sighting = Pick<Observed, 'live' | 'revisions' | 'plan'>;

/**
 * Observes every service and says everything that stands in the way, of all of them at once. Undefined when
 * anything does: then nothing is built or written anywhere.
 */
export async function preflight(
  runs: ServiceRun[],
  observe: (run: ServiceRun) => Promise<Observed>,
): Promise<Ready[] | undefined> {
  const looked = await examine(runs, observe, refusals);
  return looked.kind === 'ready' ? looked.ready : undefined;
}

/** As `preflight`, with what else a runbook asks; a refusal carries the reason of the first service that has one. */
export async function examine<F extends Sighting>(
  runs: ServiceRun[],
  observe: (run: ServiceRun) => Promise<F>,
  problemsOf: (run: ServiceRun, found: F) => Promise<Problem[]>,
): Promise<{ kind: 'ready'; ready: Ready<F>[] } | { kind: 'refused'; reason: ExitReason }> {
  const looked = await Promise.all(runs.map((run) => look(run, observe, problemsOf)));
  const refusal = looked.find((one) => typeof one === 'string');
  if (refusal !== undefined) return { kind: 'refused', reason: refusal };
  return { kind: 'ready', ready: looked.filter((one) => typeof one !== 'string') };
}

async function look<F extends Sighting>(
  run: ServiceRun,
  observe: (run: ServiceRun) => Promise<F>,
  problemsOf: (run: ServiceRun, found: F) => Promise<Problem[]>,
): Promise<Ready<F> | ExitReason> {
  const { journal, target } = run;
  const service = target.key;
  try {
    const found = await journal.stage(service, 'observe', async () => {
      const value = await observe(run);
      report(run, value);
      return { value, note: value.plan.because };
    });
    const problems = [...found.plan.blockers, ...(await problemsOf(run, found))];
    if (problems.length > 0) refuse(run, problems);
    await journal.stage(service, 'preflight', async () => {
      const [first] = problems;
      if (first) throw new SluiceError('preflight', first);
      return { value: undefined, note: 'nothing in the way' };
    });
    return { run, found };
  } catch (error) {
    if (run.signal.aborted) return reasonOf(run.signal.reason);
    const told = journal.state.services.get(service)?.preflight.length;
    if (!told) refuse(run, [problemOf(error)]);
    return error instanceof SluiceError ? error.reason : 'preflight';
  }
}

function report(run: ServiceRun, { live, plan, revisions }: Sighting): void {
  const service = run.target.key;
  const serving = live ? (onlyServing(namedTraffic(live)) ?? '') : '';
  run.journal.emit({
    type: 'service.observed',
    service,
    url: live?.uri ?? '',
    serving,
    image: revisions.find((revision) => revision.name === serving)?.template.image ?? '',
    traffic: live?.actualTraffic ?? [],
    etag: live?.etag ?? '',
    generation: live?.generation ?? '',
  });
  run.journal.emit({ type: 'plan.made', service, plan });
  if (live && !serving && !plan.first) {
    run.journal.emit({
      type: 'notice',
      service,
      note: `the traffic is split: ${describeTraffic(namedTraffic(live))}`,
    });
  }
}

/** Stands for an image that is not built yet. */
const anyImage = 'us-docker.pkg.dev/cloudrun/container/hello';

/** What Cloud Run itself would refuse of the revision to be made: asked now, not after the build. */
async function refusals(run: ServiceRun, { live, plan }: Observed): Promise<Problem[]> {
  const { revision } = plan;
  if (revision === null) return [];
  const image = plan.image.reference ?? anyImage;
  const edit = candidateEdit(run.target, { ...plan, revision }, live, {
    release: run.journal.release,
    image,
  });
  const missing = (await Promise.all([attachedInstances(run), namedSecrets(run)])).flat();
  try {
    await run.cloud.run.validate(run.target.ref, live, edit, call(run));
    return missing;
  } catch (error) {
    if (!(error instanceof CloudError) || !refusing.has(error.kind)) throw error;
    return [
      ...missing,
      {
        what: `Cloud Run would refuse the revision of ${run.target.key}: ${error.said}`,
        next: [`mend sluice.yaml, then ${run.command}`],
      },
    ];
  }
}

const refusing: ReadonlySet<CloudErrorKind> = new Set(['invalid', 'unsupported', 'precondition']);

/** Says what stands in the way of a service before anything is built or written. */
export function refuse(run: ServiceRun, problems: Problem[]): void {
  run.journal.emit({
    type: 'preflight.failed',
    service: run.target.key,
    problems: problems.map(({ what, why, next = [run.command] }) => ({
      what,
      ...(why ? { why } : {}),
      next: [...next],
    })),
  });
}
