import type { LiveService } from '../cloud/ports/index.ts';
import { errorMessage } from '../errors.ts';
import { until } from './pause.ts';
import { ask, type Door } from './requests.ts';
import { call, type ServiceRun } from './run.ts';

export type Proof =
  | { proven: true; by: 'response-field' | 'request-log'; answers: number }
  | { proven: false; why: string };

/**
 * N answers in a row from one revision: by a response field that carries K_REVISION, or by the trace ids
 * found again in the request log with their revision_name.
 */
export async function proveAnswers(
  run: ServiceRun,
  door: Door,
  live: LiveService,
  revision: string,
): Promise<Proof> {
  const { identity, answers } = run.target.rollout;
  const proof = identity.field
    ? await byResponseField(run, door, revision, { path: identity.path, field: identity.field, answers })
    : await byRequestLog(run, door, live, revision, { path: identity.path, answers });
  if (proof.proven) {
    run.journal.emit({
      type: 'answer.proven',
      service: run.target.key,
      revision,
      url: door.url,
      answers: proof.answers,
      by: proof.by,
    });
  }
  return proof;
}

async function byResponseField(
  run: ServiceRun,
  door: Door,
  revision: string,
  want: { path: string; field: string; answers: number },
): Promise<Proof> {
  let inRow = 0;
  let last = 'no answer';
  const oneAnswer = async (): Promise<void> => {
    try {
      const { status, body } = await ask(run, door, want.path, 10_000);
      const found = fieldOf(body, want.field);
      inRow = found === revision ? inRow + 1 : 0;
      last = found === undefined ? `status ${status} without ${want.field}` : `${want.field} = ${found}`;
    } catch (error) {
      run.signal.throwIfAborted();
      inRow = 0;
      last = errorMessage(error);
    }
  };
  const { met } = await until(
    run,
    async () => {
      // In a row without a pause: only a wrong answer makes it wait for the traffic to move on.
      do await oneAnswer();
      while (inRow > 0 && inRow < want.answers);
      return inRow;
    },
    (count) => count >= want.answers,
    { everyMs: 250, withinMs: run.target.rollout.trafficDeadlineSeconds * 1000 },
  );
  return met
    ? { proven: true, by: 'response-field', answers: want.answers }
    : { proven: false, why: `${want.path} does not show ${revision}: ${last}` };
}

async function byRequestLog(
  run: ServiceRun,
  door: Door,
  live: LiveService,
  revision: string,
  want: { path: string; answers: number },
): Promise<Proof> {
  const sent = new Set<string>();
  try {
    while (sent.size < want.answers) sent.add((await ask(run, door, want.path, 10_000)).traceId);
  } catch (error) {
    run.signal.throwIfAborted();
    return { proven: false, why: errorMessage(error) };
  }
  const { project, service } = live.ref;
  const traces = [...sent].map((id) => `"projects/${project}/traces/${id}"`).join(' OR ');
  const filter = `resource.type="cloud_run_revision" AND resource.labels.service_name="${service}" AND trace=(${traces})`;
  const { value, met } = await until(
    run,
    () => run.cloud.logs.list({ project, filter, limit: sent.size * 4 }, call(run)),
    (entries) => new Set(entries.map((entry) => entry.trace)).size >= sent.size,
    { everyMs: 500, withinMs: 20_000 },
  );
  const others = new Set(value.map((entry) => entry.revision).filter((name) => name !== revision));
  if (others.size > 0) return { proven: false, why: `answered by ${[...others].join(', ')}` };
  if (!met) return { proven: false, why: 'the request log does not show who answered' };
  return { proven: true, by: 'request-log', answers: sent.size };
}

/** A dotted path into a JSON body; undefined when it is not there or not a string. */
function fieldOf(body: string, field: string): string | undefined {
  try {
    const value = field.split('.').reduce<unknown>((at, key) => {
      return at !== null && typeof at === 'object'
        ? Object.entries(at).find(([name]) => name === key)?.[1]
        : undefined;
    }, JSON.parse(body));
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
