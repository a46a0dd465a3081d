import type { CheckSpec } from '../config/check-spec.ts';
import type { CheckContext, CheckEvent, CheckOutcome } from './context.ts';
import { killSeconds, requestsLateSeconds } from './deadlines.ts';
import { weigh } from './known-failure.ts';
import { createLimits } from './limits.ts';
import { repeat } from './repeat.ts';
import type { CheckResult } from './result.ts';
import { errorText, oneLine } from './text.ts';

/** A kind ends itself at its deadline; this much later the runner ends it. */
const graceMs = 1_000;
const maxReasonLength = 1_000;

/**
 * Runs the checks of the context's stage, in the order given as far as the results go. A check never throws:
 * what goes wrong in it is `inconclusive`, what was not begun is `skipped`. Rejects only when `emit` does.
 */
export async function runChecks(
  specs: readonly CheckSpec[],
  context: CheckContext,
  emit: (event: CheckEvent) => void | Promise<void>,
): Promise<CheckResult[]> {
  const limits = createLimits();
  const due = specs.filter((spec) => spec.stages.includes(context.stage));
  return Promise.all(due.map((spec) => limits.run(spec.kind, () => runOne(spec, context, emit))));
}

async function runOne(
  spec: CheckSpec,
  context: CheckContext,
  emit: (event: CheckEvent) => void | Promise<void>,
): Promise<CheckResult> {
  const { service, stage } = context;
  const { id, kind, required } = spec;
  await emit({ type: 'check.started', service, id, stage });
  const start = performance.now();
  const { final, ...outcome } = await outcomeOf(spec, context);
  const durationMs = Math.round(performance.now() - start);
  const weighed = weigh(outcome, spec.expectedToFail, context.now());
  const reason = oneLine(weighed.reason, maxReasonLength);
  const result = { id, kind, stage, required, durationMs, ...weighed, reason };
  await emit({ type: 'check.finished', service, result });
  return result;
}

async function outcomeOf(spec: CheckSpec, context: CheckContext): Promise<CheckOutcome> {
  if (context.signal.aborted) return { status: 'skipped', reason: 'the run was stopped before this check' };
  const demand = { successes: spec.successes, attempts: spec.attempts ?? 1 };
  return repeat(demand, () => tryOnce(spec, context), context.signal);
}

/** Each try has the whole of the check's time. */
async function tryOnce(spec: CheckSpec, context: CheckContext): Promise<CheckOutcome> {
  const seconds = secondsFor(spec);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(Math.ceil(seconds * 1000))]);
  const backstop = AbortSignal.any([
    context.signal,
    AbortSignal.timeout(Math.ceil(seconds * 1000) + graceMs),
  ]);
  try {
    return await Promise.race([perform(spec, context, signal), rejectedBy(backstop)]);
  } catch (error) {
    if (context.signal.aborted)
      return { status: 'inconclusive', reason: 'the run was stopped during this check' };
    if (signal.aborted) return { status: 'inconclusive', reason: `it did not end within ${seconds} s` };
    return { status: 'inconclusive', reason: `the check itself failed: ${errorText(error)}` };
  }
}

/** Each kind is loaded when it is first needed. */
async function perform(spec: CheckSpec, context: CheckContext, signal: AbortSignal): Promise<CheckOutcome> {
  switch (spec.kind) {
    case 'http':
      return (await import('./http.ts')).checkHttp(spec, context, signal);
    case 'websocket':
      return (await import('./websocket.ts')).checkWebsocket(spec, context, signal);
    case 'startup':
      return (await import('./startup.ts')).checkStartup(context.profile, context.startup);
    case 'logs':
      return (await import('./logs.ts')).checkLogs(spec, context, signal);
    case 'manual':
      return (await import('./manual.ts')).checkManual(spec, context);
    case 'command':
      return (await import('./command.ts')).checkCommand(spec, context);
    case 'suite':
      return (await import('./suite.ts')).checkSuite(spec, context, signal);
    case 'imports':
      return (await import('./imports.ts')).checkImports(spec, context, signal);
  }
}

/**
 * A log check waits for its window first, and then has its time to read. A program ends itself at its deadline; what
 * it then says is more than that it did not end. After a suite its requests are looked for. A latency is that of many
 * answers.
 */
function secondsFor(spec: CheckSpec): number {
  switch (spec.kind) {
    case 'logs':
      return spec.windowSeconds + spec.timeoutSeconds;
    case 'http':
      return spec.timeoutSeconds * (1 + (spec.expect.latency?.samples ?? 0));
    case 'command':
    case 'imports':
      return spec.timeoutSeconds + killSeconds;
    case 'suite':
      return spec.timeoutSeconds + killSeconds + requestsLateSeconds.google;
    default:
      return spec.timeoutSeconds;
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
