import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SuiteCheck } from '../config/check-spec.ts';
import type { CheckContext, CheckOutcome } from './context.ts';
import { nearestRank } from './percentile.ts';
import { deadlineIn } from './program.ts';
import type { SuiteCase, SuitePhase } from './result.ts';
import { type Played, playPhase } from './suite-phase.ts';
import { errorText, inSeconds } from './text.ts';

const maxCases = 200;
/** What would be shown as 0.00 s: no test that talks to a service over a network is done by then. */
const unrealSeconds = 0.005;

/** Runs the phases in order until one fails; then asks the request log whether the service was reached at all. */
export async function checkSuite(
  spec: SuiteCheck,
  context: CheckContext,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-suite-'));
  const from = new Date();
  const started = performance.now();
  const deadline = deadlineIn(spec.timeoutSeconds);
  try {
    const played: Played[] = [];
    for (const [index, phase] of spec.phases.entries()) {
      const call = { phase, deadline, junit: join(folder, `${index}.xml`) };
      const one = await playPhase(spec, call, context, signal);
      played.push(one);
      if (one.status !== 'passed') break;
    }
    // From a clock that does not jump, so that a run never ends before it began.
    const to = new Date(from.getTime() + performance.now() - started);
    const facts = factsOf(spec, played);
    const failed = failureOf(spec, played, facts.figures);
    if (failed) return { ...facts, ...failed };
    const reached = await reachedService(context, { from, to }, signal);
    const figures = {
      ...facts.figures,
      ...(reached.requests === undefined ? {} : { requests: reached.requests }),
    };
    if (reached.problem) return { ...facts, figures, ...reached.problem };
    return { ...facts, figures, status: 'passed', reason: praise(spec, played, figures) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Figures = Record<string, number>;
type Verdict = Pick<CheckOutcome, 'status' | 'reason'>;

/** What was seen, whatever it comes to. */
function factsOf(
  spec: SuiteCheck,
  played: readonly Played[],
): Pick<CheckOutcome, 'phases' | 'cases' | 'output'> & { figures: Figures } {
  const tests = played.flatMap(({ phase, tests }) => tests.map((test) => ({ phase, ...test })));
  const count = (status: string) => tests.filter((test) => test.status === status).length;
  const times = tests.flatMap(({ status, seconds }) =>
    status === 'skipped' || seconds === null ? [] : [seconds],
  );
  const last = played.at(-1);
  const output = last && last.status !== 'passed' ? last.tail : [];
  return {
    phases: phasesOf(spec, played),
    cases: tests
      .map(caseOf)
      .toSorted((a, b) => weight(b) - weight(a))
      .slice(0, maxCases),
    ...(output.length > 0 ? { output } : {}),
    figures: {
      total: tests.length,
      passed: count('passed'),
      failed: count('failed'),
      skipped: count('skipped'),
      instant: tests.filter(isInstant).length,
      ...(times.length > 0 ? { p50Seconds: nearestRank(times, 50), p95Seconds: nearestRank(times, 95) } : {}),
    },
  };
}

function phasesOf(spec: SuiteCheck, played: readonly Played[]): SuitePhase[] {
  const broken = played.find(({ status }) => status !== 'passed');
  return spec.phases.map(({ name }, index) => {
    const one = played[index];
    if (!one)
      return {
        ...{ name, status: 'skipped', reason: `not run, for ${broken?.phase} ${broken?.status ?? 'failed'}` },
        ...{ seconds: 0, passed: 0, failed: 0, skipped: 0 },
      };
    const count = (status: string) => one.tests.filter((test) => test.status === status).length;
    const { status, reason, seconds } = one;
    const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
    return { name, status, reason, seconds, ...counts };
  });
}

type Test = Played['tests'][number] & { phase: string };

function isInstant({ status, seconds }: Pick<Test, 'status' | 'seconds'>): boolean {
  return status === 'passed' && seconds !== null && seconds < unrealSeconds;
}

function caseOf(test: Test): SuiteCase {
  const { name, phase, status, seconds, message } = test;
  const flag = isInstant(test) ? 'took 0.00 s: did it do anything?' : '';
  return { name, phase, status, seconds: seconds ?? 0, detail: flag || message };
}

function weight({ status, detail }: SuiteCase): number {
  if (status === 'failed') return 2;
  return status === 'passed' && detail !== '' ? 1 : 0;
}

/** What is wrong with the phases that were run, or with how long their tests took. */
function failureOf(spec: SuiteCheck, played: readonly Played[], figures: Figures): Verdict | undefined {
  const last = played.at(-1);
  if (last && last.status !== 'passed') {
    const left = spec.phases.slice(played.length).map(({ name }) => name);
    const rest = left.length > 0 ? `; not run: ${left.join(', ')}` : '';
    const where = spec.phases.length > 1 ? `${last.phase}: ` : '';
    return { status: last.status, reason: `${where}${last.reason}${rest}` };
  }
  const wanted = Object.entries(spec.latency);
  const untimed = played
    .flatMap(({ tests }) => tests)
    .filter(({ status, seconds }) => status !== 'skipped' && seconds === null).length;
  if (wanted.length > 0 && untimed > 0)
    return {
      status: 'inconclusive',
      reason: `${untimed} of ${figures['total']} tests have no time in the report`,
    };
  const slow = wanted.flatMap(([name, most]) => {
    const measured = figures[`${name}Seconds`] ?? 0;
    return measured > most ? [`expected ${name} ≤ ${inSeconds(most)}, found ${inSeconds(measured)}`] : [];
  });
  return slow.length > 0
    ? { status: 'failed', reason: `${slow.join('; ')} over ${figures['total']} tests` }
    : undefined;
}

/** A suite that passed without a request to the service has shown nothing of it. */
async function reachedService(
  { program, stage }: CheckContext,
  { from, to }: { from: Date; to: Date },
  signal: AbortSignal,
): Promise<{ requests?: number; problem?: Verdict }> {
  if (stage === 'predeploy') return {};
  const cannot = (why: string): { problem: Verdict } => ({
    problem: {
      status: 'inconclusive',
      reason: `the tests passed, but whether they reached the service is not known: ${why}`,
    },
  });
  if (!program.requests) return cannot('there is no request log');
  try {
    const requests = await program.requests.count(from, to, signal);
    if (requests > 0) return { requests };
    const reason = `the tests passed without touching the service: no request of theirs in the request log of ${program.revision} during the run`;
    return { requests, problem: { status: 'failed', reason } };
  } catch (error) {
    signal.throwIfAborted();
    return cannot(`the request log could not be read: ${errorText(error)}`);
  }
}

function praise(spec: SuiteCheck, played: readonly Played[], figures: Figures): string {
  const { total = 0, passed = 0, failed = 0, skipped = 0, instant = 0, p95Seconds, requests } = figures;
  const in_ = played.length > 1 ? ` in ${played.length} phases` : '';
  const most = spec.latency.p95;
  return [
    `${passed} of ${total} tests passed${in_}`,
    ...(failed > 0 ? [`${failed} failed, which the tolerance allows`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(p95Seconds === undefined
      ? []
      : [`p95 ${inSeconds(p95Seconds)}${most === undefined ? '' : ` of at most ${inSeconds(most)}`}`]),
    ...(requests === undefined
      ? []
      : [`${requests}${requests >= 1000 ? ' or more' : ''} requests reached the service`]),
    ...(instant > 0 ? [`${instant} took 0.00 s`] : []),
  ].join(', ');
}
