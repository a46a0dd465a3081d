import type { StartupSpec } from '../config/target.ts';
import type { Finding, System } from '../startup/profile.ts';

/** What has been seen of a start so far. Times are milliseconds on one clock. */
export type StartSeen = {
  beganAt: number;
  ready: 'yes' | 'no' | 'not-yet';
  /** The False condition's or the failed operation's message. */
  refusal: string;
  /** The log told something: without any of it, silence proves nothing. */
  heard: boolean;
  /** The first log line that ends the start. */
  fatal: Finding | null;
  completed: ReadonlySet<string>;
  /** The phase that failed, if one did. */
  failedPhase: string | null;
  systems: ReadonlyMap<string, Pick<System, 'status' | 'detail'>>;
  /** A warm-up request was answered without a server error. */
  answered: boolean;
  /** The service has told the URL on which the candidate answers. */
  addressed: boolean;
  lastNewsAt: number;
};

export type StartDecision =
  | { kind: 'wait'; forMs: number; missing: string }
  | { kind: 'started'; because: string }
  | { kind: 'failed'; because: string }
  | { kind: 'unknown'; because: string };

/**
 * Bad news decides at once; good news needs all of it: Ready, the configured phases and systems (or, with
 * none configured, an answer), and a quiet time after that in which late lines can arrive. Pure.
 */
export function decideStart(seen: StartSeen, spec: StartupSpec, now: number): StartDecision {
  if (seen.fatal) return { kind: 'failed', because: seen.fatal.cause };
  if (seen.ready === 'no') return { kind: 'failed', because: seen.refusal || 'the revision is not ready' };
  if (seen.failedPhase) return { kind: 'failed', because: `phase ${seen.failedPhase} failed` };
  const broken = spec.systems.required.find((name) => seen.systems.get(name)?.status === 'failed');
  if (broken) {
    const detail = seen.systems.get(broken)?.detail;
    return { kind: 'failed', because: `critical system ${broken} failed${detail ? `: ${detail}` : ''}` };
  }

  const missing = missingNews(seen, spec);
  const deadline = seen.beganAt + spec.deadlineSeconds * 1000;
  if (missing.length === 0) {
    const quietUntil = Math.min(seen.lastNewsAt, deadline) + spec.quietSeconds * 1000;
    return now >= quietUntil
      ? { kind: 'started', because: completeness(spec) }
      : { kind: 'wait', forMs: quietUntil - now, missing: 'a quiet moment for late lines' };
  }
  const wants = missing.join(', ');
  if (now >= deadline) {
    return { kind: 'unknown', because: `after ${spec.deadlineSeconds} s still missing: ${wants}` };
  }
  return { kind: 'wait', forMs: deadline - now, missing: wants };
}

/**
 * A revision that has run before may still have an instance, whose start is not told again: then an answer stands for
 * it. Once its log tells of a start, all of it is wanted. Pure.
 */
export function decideRestart(
  seen: StartSeen,
  spec: StartupSpec,
  now: number,
  startTold: boolean,
): StartDecision {
  if (startTold) return decideStart(seen, spec, now);
  const nothingDemanded = { ...spec, phases: [], systems: { ...spec.systems, required: [] } };
  const decision = decideStart({ ...seen, heard: true }, nothingDemanded, now);
  if (decision.kind !== 'started') return decision;
  return { kind: 'started', because: 'Ready, it answers; its log tells of no new start' };
}

function missingNews(seen: StartSeen, spec: StartupSpec): string[] {
  const missing: string[] = seen.ready === 'yes' ? [] : ['Ready'];
  if (!seen.heard) missing.push('its log');
  const phases = spec.phases.filter((name) => !seen.completed.has(name));
  if (phases.length > 0) missing.push(`phases ${phases.join(' ')}`);
  const systems = spec.systems.required.filter((name) => !seen.systems.has(name));
  if (systems.length > 0) missing.push(`systems ${systems.join(', ')}`);
  const configured = spec.phases.length + spec.systems.required.length > 0;
  if (!configured && !seen.answered) missing.push('an answer to a request');
  if (seen.ready === 'yes' && !seen.addressed) missing.push('a URL');
  return missing;
}

function completeness(spec: StartupSpec): string {
  const parts = ['Ready'];
  if (spec.phases.length > 0) parts.push(`${spec.phases.length} phases completed`);
  if (spec.systems.required.length > 0) parts.push(`${spec.systems.required.length} systems reported`);
  if (parts.length === 1) parts.push('it answers');
  return parts.join(', ');
}
