import type { LiveService, OperationOutcome } from '../../cloud/ports/index.ts';
import type { StartupSignal } from '../../startup/reader.ts';
import { until } from '../pause.ts';
import { ask, doorTo } from '../requests.ts';
import { call, type ServiceRun } from '../run.ts';
import { candidateUrl, type NamedPlan } from './candidate.ts';

/** What the operation, the revision, the warm-up requests and the log tell, in one order. */
export type News =
  | { from: 'log'; signals: readonly StartupSignal[] }
  | { from: 'operation'; outcome: OperationOutcome }
  | { from: 'revision'; ready: 'yes' | 'no' | 'not-yet'; refusal: string }
  | { from: 'service'; live: LiveService }
  | { from: 'request'; answered: boolean }
  | { from: 'lost'; error: unknown };

export async function followOperation(
  run: ServiceRun,
  operation: string | null,
  put: (news: News) => void,
): Promise<void> {
  if (operation === null) return;
  const within = run.target.startup.deadlineSeconds * 1000;
  put({ from: 'operation', outcome: await run.cloud.run.awaitOperation(operation, call(run, within)) });
}

/** The revision's own conditions decide (latestReadyRevision lags with no traffic); then the URL is looked up. */
export async function followRevision(
  run: ServiceRun,
  plan: NamedPlan,
  put: (news: News) => void,
): Promise<void> {
  const { ref, startup } = run.target;
  const withinMs = startup.deadlineSeconds * 1000;
  const { value: revision } = await until(
    run,
    () => run.cloud.run.readRevision(ref, plan.revision, call(run)),
    (found) => found !== undefined && found.ready !== 'not-yet',
    { everyMs: 250, withinMs },
  );
  if (!revision) return;
  const refusal = revision.conditions.find((condition) => condition.state === 'failed')?.message ?? '';
  put({ from: 'revision', ready: revision.ready, refusal });
  if (revision.ready !== 'yes') return;
  const { value: live, met } = await until(
    run,
    () => run.cloud.run.readService(ref, call(run)),
    (found) => found !== undefined && candidateUrl(plan, found) !== undefined,
    { everyMs: 250, withinMs },
  );
  if (met && live) put({ from: 'service', live });
}

/** Requests until the start is decided: they wake, and keep awake, an instance that has no traffic. */
export async function warmUp(
  run: ServiceRun,
  plan: NamedPlan,
  live: LiveService,
  put: (news: News) => void,
): Promise<void> {
  const door = doorTo(run, live, candidateUrl(plan, live) ?? live.uri);
  const { path } = run.target.rollout.identity;
  await until(
    run,
    async () => {
      const status = await ask(run, door, path, 30_000).then(
        (answer) => answer.status,
        () => 0,
      );
      put({ from: 'request', answered: status > 0 && status < 500 });
    },
    () => false,
    { everyMs: 500, withinMs: run.target.startup.deadlineSeconds * 1000 },
  );
}
