import type { LiveService } from '../cloud/ports/index.ts';
import { errorMessage } from '../errors.ts';
import { until } from './pause.ts';
import { ask, type Door } from './requests.ts';
import { call, type ServiceRun } from './run.ts';

export type Proof =
  | { proven: true; by: 'response-field' | 'request-log'; answers: number }
  | { proven: false; why: string };

/** Who may answer; and, of a split, the one that must be among those who do. */
export type Expected = { among: readonly string[]; including?: { revision: string; percent: number } };

/** Answers by revision, in the order in which they first came. */
type Answers = Map<string, number>;
type Shown = { shown: true; answers: Answers } | { shown: false; why: string };

/**
 * N answers in a row from the expected revisions: by a response field that carries K_REVISION, or by the trace ids
 * found again in the request log with their revision_name.
 */
export async function proveAnswers(
  run: ServiceRun,
  door: Door,
  live: LiveService,
  expected: string | Expected,
): Promise<Proof> {
  const { field } = run.target.rollout.identity;
  const wanted = typeof expected === 'string' ? { among: [expected] } : expected;
  const by = field === undefined ? 'request-log' : 'response-field';
  const found =
    field === undefined
      ? await byRequestLog(run, door, live, wanted)
      : await byResponseField(run, door, wanted, field);
  if (!found.shown) return { proven: false, why: found.why };
  const from = [...found.answers].map(([revision, answers]) => ({ revision, answers }));
  const [most] = from.toSorted((a, b) => b.answers - a.answers);
  const answers = from.reduce((sum, each) => sum + each.answers, 0);
  run.journal.emit({
    type: 'answer.proven',
    service: run.target.key,
    revision: wanted.including?.revision ?? most?.revision ?? '',
    url: door.url,
    answers,
    ...(wanted.among.length > 1 ? { from } : {}),
    by,
  });
  return { proven: true, by, answers };
}

/** Between the answers of a split, of which the rare one is awaited. */
const betweenMs = 50;

async function byResponseField(
  run: ServiceRun,
  door: Door,
  expected: Expected,
  field: string,
): Promise<Shown> {
  const { answers, identity, trafficDeadlineSeconds } = run.target.rollout;
  const inRow: Answers = new Map();
  let last = 'no answer';
  const oneAnswer = async (): Promise<void> => {
    try {
      const { status, body } = await ask(run, door, identity.path, 10_000);
      const found = fieldOf(body, field);
      last = found === undefined ? `status ${status} without ${field}` : `${field} = ${found}`;
      if (found !== undefined && expected.among.includes(found)) count(inRow, found);
      else inRow.clear();
    } catch (error) {
      run.signal.throwIfAborted();
      inRow.clear();
      last = errorMessage(error);
    }
  };
  const { met } = await until(
    run,
    async () => {
      // In a row without a pause: only a wrong answer makes it wait for the traffic to move on.
      do await oneAnswer();
      while (inRow.size > 0 && sum(inRow) < answers);
      return inRow;
    },
    (seen) => sum(seen) >= answers && included(seen, expected),
    { everyMs: expected.including ? betweenMs : 250, withinMs: trafficDeadlineSeconds * 1000 },
  );
  if (met) return { shown: true, answers: inRow };
  if (sum(inRow) < answers) {
    return { shown: false, why: `${identity.path} does not show ${expected.among.join(' or ')}: ${last}` };
  }
  return { shown: false, why: silent(expected, sum(inRow)) };
}

/** Traces in one filter: Cloud Logging takes 20,000 characters. */
const mostTraces = 100;

async function byRequestLog(
  run: ServiceRun,
  door: Door,
  live: LiveService,
  expected: Expected,
): Promise<Shown> {
  const { answers, trafficDeadlineSeconds } = run.target.rollout;
  const seen: Answers = new Map();
  const deadline = performance.now() + trafficDeadlineSeconds * 1000;
  do {
    const { revisions, why } = await askByTrace(run, door, live, requestsFor(expected, answers));
    const others = new Set(revisions.filter((name) => !expected.among.includes(name)));
    if (others.size > 0) return { shown: false, why: `answered by ${[...others].join(', ')}` };
    if (why) return { shown: false, why };
    for (const name of revisions) count(seen, name);
    if (included(seen, expected)) return { shown: true, answers: seen };
  } while (performance.now() < deadline);
  return { shown: false, why: silent(expected, sum(seen)) };
}

/** Enough to meet a share of so many percent with 99.9 %. */
function requestsFor({ including }: Expected, answers: number): number {
  if (!including || including.percent >= 100) return answers;
  const enough = Math.ceil(Math.log(0.001) / Math.log(1 - including.percent / 100));
  return Math.max(answers, Math.min(enough, mostTraces));
}

/** Sends requests with trace ids of our own and reads in the request log which revision answered each. */
async function askByTrace(
  run: ServiceRun,
  door: Door,
  live: LiveService,
  requests: number,
): Promise<{ revisions: string[]; why?: string }> {
  const sent: string[] = [];
  try {
    while (sent.length < requests) {
      sent.push((await ask(run, door, run.target.rollout.identity.path, 10_000)).traceId);
    }
  } catch (error) {
    run.signal.throwIfAborted();
    return { revisions: [], why: errorMessage(error) };
  }
  const { project, service } = live.ref;
  const answeredBy = new Map<string, string>();
  for (let at = 0; at < sent.length; at += mostTraces) {
    const traces = sent.slice(at, at + mostTraces).map((id) => `"projects/${project}/traces/${id}"`);
    const filter = `resource.type="cloud_run_revision" AND resource.labels.service_name="${service}" AND trace=(${traces.join(' OR ')})`;
    const { value } = await until(
      run,
      () => run.cloud.logs.list({ project, filter, limit: traces.length * 4 }, call(run)),
      (entries) => new Set(entries.map(({ trace }) => trace)).size >= traces.length,
      { everyMs: 500, withinMs: 20_000 },
    );
    for (const { trace, revision } of value) answeredBy.set(trace, revision);
  }
  const revisions = [...answeredBy.values()];
  return revisions.length === sent.length
    ? { revisions }
    : { revisions, why: 'the request log does not show who answered' };
}

function count(answers: Answers, revision: string): void {
  answers.set(revision, (answers.get(revision) ?? 0) + 1);
}

function sum(answers: Answers): number {
  return [...answers.values()].reduce((all, each) => all + each, 0);
}

function included(answers: Answers, { including }: Expected): boolean {
  return including === undefined || answers.has(including.revision);
}

function silent({ including }: Expected, answers: number): string {
  return `none of ${answers} answers came from ${including?.revision}, which should give ${including?.percent} % of them`;
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
