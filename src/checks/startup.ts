import type { StartupSpec } from '../config/target.ts';
import type { Phase, RevisionProfile } from '../startup/profile.ts';
import type { CheckOutcome } from './context.ts';
import { inSeconds } from './text.ts';

/** Pure: holds the startup profile against the target's phases, systems and budgets. */
export function checkStartup(profile: RevisionProfile | null, spec: StartupSpec): CheckOutcome {
  if (!profile)
    return { status: 'inconclusive', reason: 'the startup was not followed, so nothing is known of it' };
  const figures = profile.totalSeconds === null ? {} : { figures: { totalSeconds: profile.totalSeconds } };
  const bad = [
    ...outcomeProblems(profile),
    ...phaseProblems(profile, spec.phases),
    ...systemProblems(profile, spec.systems.required),
    ...overBudget(profile, spec.budgets),
  ];
  if (bad.length > 0) {
    const entries = profile.rootCause ? { entries: profile.rootCause.entries } : {};
    return { status: 'failed', reason: bad.join('; '), ...figures, ...entries };
  }
  // Phases and systems that were demanded and reported say it as well as a line of completion.
  const demanded = spec.phases.length + spec.systems.required.length;
  const unsaid = profile.outcome === 'unknown' && demanded === 0;
  const open = [
    ...(unsaid ? ['the log does not say whether it started'] : []),
    ...unmeasured(profile, spec.budgets),
  ];
  if (open.length > 0) return { status: 'inconclusive', reason: open.join('; '), ...figures };
  return { status: 'passed', reason: summary(profile, spec), ...figures };
}

function outcomeProblems({ outcome, rootCause }: RevisionProfile): string[] {
  if (outcome === 'started' || outcome === 'unknown') return [];
  const what = outcome === 'crash-loop' ? 'it crashes again and again' : 'it did not start';
  return [rootCause ? `${what}: ${rootCause.cause}` : what];
}

function phaseProblems(profile: RevisionProfile, required: readonly string[]): string[] {
  return required.flatMap((name) => {
    const phase = phaseOf(profile, name);
    if (!phase) return [`phase ${name} was not reported`];
    return phase.outcome === 'completed' ? [] : [`phase ${name} ${phaseWords[phase.outcome]}`];
  });
}

const phaseWords = { failed: 'failed', incomplete: 'did not complete' } as const;

function systemProblems(profile: RevisionProfile, required: readonly string[]): string[] {
  return required.flatMap((name) => {
    const system = profile.systems.find((one) => one.name === name);
    if (!system || system.status === 'not-reported') return [`system ${name} was not reported`];
    if (system.status === 'healthy') return [];
    return [`system ${name} is ${system.status}${system.detail ? ` (${system.detail})` : ''}`];
  });
}

function overBudget(profile: RevisionProfile, budgets: StartupSpec['budgets']): string[] {
  return timesOf(profile, budgets).flatMap(({ what, seconds, budget }) =>
    seconds !== null && seconds > budget
      ? [`${what} took ${inSeconds(seconds)}, budget ${inSeconds(budget)}`]
      : [],
  );
}

function unmeasured(profile: RevisionProfile, budgets: StartupSpec['budgets']): string[] {
  return timesOf(profile, budgets).flatMap(({ what, seconds, budget }) =>
    seconds === null ? [`the time of ${what} was not reported, budget ${inSeconds(budget)}`] : [],
  );
}

function timesOf(profile: RevisionProfile, budgets: StartupSpec['budgets']) {
  const total = budgets.total;
  return [
    ...(total === undefined ? [] : [{ what: 'the startup', seconds: profile.totalSeconds, budget: total }]),
    ...Object.entries(budgets.phases).map(([name, budget]) => ({
      what: name,
      seconds: phaseOf(profile, name)?.seconds ?? null,
      budget,
    })),
  ];
}

function phaseOf(profile: RevisionProfile, name: string): Phase | undefined {
  return profile.phases.find((phase) => phase.name === name);
}

function summary(profile: RevisionProfile, spec: StartupSpec): string {
  const time = profile.totalSeconds === null ? '' : ` in ${inSeconds(profile.totalSeconds)}`;
  const phases = spec.phases.length > 0 ? `, ${spec.phases.length} required phases completed` : '';
  const required = spec.systems.required.length;
  const systems = required > 0 ? `, ${required} required systems healthy` : '';
  return `started${time}${phases}${systems}`;
}
