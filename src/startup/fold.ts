import { tiers } from './diagnose.ts';
import { byWeight, FindingBook, type Noted, type Severity, toFinding } from './findings.ts';
import type { Instance } from './instance.ts';
import type { Phase, RevisionProfile, StartupOutcome, System } from './profile.ts';
import type { Revision } from './revision.ts';
import { explain, rootOf } from './root-cause.ts';
import { asCause } from './text.ts';
import { compareTimes } from './time.ts';

export type Expected = { requiredSystems: readonly string[] };

type Verdict = 'completed' | 'ended' | 'open';

/** What the logs of one revision say about its start. */
export function toProfile(revision: Revision, expected: Expected): RevisionProfile {
  const instances = [...revision.instances]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, instance]) => instance);
  const teller = tellingMost(instances);
  const outcome = outcomeOf(revision, instances);
  // A start that was cut off has no total: shares of what it got to would be no shares of anything.
  const cutOff = (outcome === 'failed' || outcome === 'crash-loop') && teller?.total == null;
  const totalSeconds = cutOff ? null : (teller?.total?.seconds ?? teller?.progress.sum ?? null);
  const phases: Phase[] = (teller?.progress.phases(totalSeconds) ?? []).map((phase) =>
    cutOff ? { ...phase, share: null } : phase,
  );
  const findings = gather(revision, instances, outcome);
  const root = outcome === 'failed' || outcome === 'crash-loop' ? rootOf(findings) : undefined;
  if (root) explain(root, revision, instances);
  for (const noted of findings) if (noted.category === 'websocket') contrast(noted, revision);
  const ordered = findings
    .sort((a, b) => Number(b === root) - Number(a === root) || byWeight(a, b))
    .map((noted) => toFinding(noted));
  return {
    service: revision.service,
    revision: revision.name,
    outcome,
    totalSeconds,
    phases,
    systems: withRequired(teller?.progress.systems ?? [], expected.requiredSystems),
    rootCause: (root && ordered[0]) ?? null,
    findings: ordered,
  };
}

/** The newest start that came to an end, else the newest with any phase: a start under way hides no finished one. */
function tellingMost(instances: readonly Instance[]): Instance | undefined {
  const tells = (instance: Instance): number => {
    const { progress } = instance;
    if (!progress.hasPhases && !progress.hasSystems && instance.total === null)
      return instance.completedAt === null ? 0 : 1;
    return verdictOf(instance) === 'open' && instance.total === null ? 2 : 3;
  };
  return [...instances].sort((a, b) => tells(b) - tells(a) || compareTimes(b.firstAt, a.firstAt))[0];
}

/** How an instance's start ended, by the later of its good and its bad news. */
function verdictOf(instance: Instance): Verdict {
  const good = instance.completion;
  const bad = latest([
    instance.fatalAt,
    ...instance.progress.failures,
    ...instance.badExits.map((exit) => exit.at),
    ...uncaught(instance),
  ]);
  if (bad !== null && (good === null || compareTimes(bad, good) >= 0)) return 'ended';
  return good === null ? 'open' : 'completed';
}

const uncaught = (instance: Instance): string[] =>
  instance.traces.chains
    .flatMap((chain) => (chain.uncaught ? [chain.sightings.at(-1)?.at ?? ''] : []))
    .filter((at) => at !== '');

function latest(times: readonly (string | null)[]): string | null {
  return times.reduce(
    (best, time) => (time !== null && (best === null || compareTimes(time, best) > 0) ? time : best),
    null,
  );
}

function outcomeOf(revision: Revision, instances: readonly Instance[]): StartupOutcome {
  const exits = instances.reduce((sum, instance) => sum + instance.badExits.length, revision.past.exits);
  if (exits >= 2 && !recovered(revision, instances)) return 'crash-loop';
  if (
    revision.readyFalseAt !== null &&
    (revision.readyTrueAt === null || compareTimes(revision.readyFalseAt, revision.readyTrueAt) > 0)
  )
    return 'failed';
  const judged = instances
    .filter((instance) => verdictOf(instance) !== 'open')
    .sort((a, b) => compareTimes(b.firstAt, a.firstAt))[0];
  if (!judged) return exits > 0 ? 'failed' : unsaid(revision, instances);
  return verdictOf(judged) === 'completed' ? 'started' : 'failed';
}

/** It says nothing of its start itself: that it answers speaks for it, unless a phase is open. Ready is a probe's word. */
function unsaid(revision: Revision, instances: readonly Instance[]): StartupOutcome {
  const serves = revision.answered !== null;
  const open = instances.some(({ progress }) => progress.hasPhases && progress.endedAt === null);
  return serves && !open ? 'started' : 'unknown';
}

/** No exit came after a completed start, and a start was completed after the last exit. */
function recovered(revision: Revision, instances: readonly Instance[]): boolean {
  if (revision.past.diedCompleted) return false;
  const died = instances.filter((instance) => instance.badExits.length > 0);
  if (died.some((instance) => instance.completedAt !== null)) return false;
  const lastExit = latest(died.flatMap((instance) => instance.exits.map((exit) => exit.at)));
  return instances.some(
    (i) => i.completedAt !== null && (lastExit === null || compareTimes(i.completedAt, lastExit) > 0),
  );
}

/** All findings of a revision; what a start got over was not fatal to it. */
function gather(revision: Revision, instances: readonly Instance[], outcome: StartupOutcome): Noted[] {
  const book = new FindingBook();
  for (const noted of revision.past.findings.all) book.merge(noted, lower(noted.severity, outcome));
  for (const instance of instances) {
    const completed = instance.completion;
    const found = instance.allFindings();
    book.overflowed ||= found.overflowed;
    for (const noted of found.all) {
      if (noted.category === 'exit' && !noted.fatal && stoppedInOrder(instance)) continue;
      book.merge(noted, severityOf(noted, completed, outcome));
    }
  }
  const noted = [...book.all];
  const loop = outcome === 'crash-loop' ? loopOf(noted) : undefined;
  const capped = book.overflowed || revision.overflowed ? cappedNote(noted[0]) : undefined;
  return [...noted, ...(loop ? [loop] : []), ...(capped ? [capped] : [])];
}

/** A started instance was asked to stop, and did: nothing to tell. */
const stoppedInOrder = (instance: Instance): boolean =>
  instance.badExits.length === 0 && instance.stoppingAt !== null;

/** A completed start got over what came before it; an exit with 0 after it is no failure. */
function severityOf(noted: Noted, completed: string | null, outcome: StartupOutcome): Severity {
  if (completed === null) return lower(noted.severity, outcome);
  const overcome = compareTimes(completed, noted.last.at) > 0;
  if (noted.category === 'exit' && !noted.fatal && !overcome) return 'warning';
  return overcome && noted.severity === 'fatal' ? 'error' : lower(noted.severity, outcome);
}

const lower = (severity: Severity, outcome: StartupOutcome): Severity =>
  severity === 'fatal' && outcome === 'started' ? 'error' : severity;

function loopOf(noted: readonly Noted[]): Noted | undefined {
  const exits = noted
    .filter((one) => one.category === 'exit')
    .sort((a, b) => compareTimes(a.first.at, b.first.at));
  const [first] = exits;
  if (!first) return undefined;
  const count = exits.reduce((sum, one) => sum + one.count, 0);
  const cause = `Crash loop: its containers ended ${count} times (${exits.map((one) => `${one.cause.replace(/^The container /, '')} × ${one.count}`).join(', ')})`;
  const last = exits.reduce(
    (best, one) => (compareTimes(one.last.at, best.at) > 0 ? one.last : best),
    first.last,
  );
  const hint =
    'A passing startup probe proves nothing here: the process bound its port and died. Mend the root cause, then deploy again.';
  return {
    category: 'crash-loop',
    key: 'crash-loop',
    cause,
    hint,
    fatal: true,
    tier: tiers['crash-loop'],
    severity: 'fatal',
    count,
    first: first.first,
    last,
    entries: exits.flatMap((one) => one.entries).slice(0, 20),
  };
}

function cappedNote(like: Noted | undefined): Noted | undefined {
  if (!like) return undefined;
  return {
    ...like,
    category: 'warning',
    key: 'capped',
    severity: 'warning',
    fatal: false,
    tier: tiers.warning,
    count: 1,
    entries: [],
    cause:
      'More was found than is kept: only the most severe findings, first phases and newest instances are shown',
    hint: 'Narrow the time range to one start.',
  };
}

/** A refused handshake of a service that answers otherwise is no failed start. */
function contrast(noted: Noted, { answered }: Revision): void {
  if (answered !== null)
    noted.cause = `${noted.cause} although ${asCause(answered)} is answered with success`;
}

/** A required system that nobody reported is told as such. */
function withRequired(systems: System[], required: readonly string[]): System[] {
  const missing = required.filter(
    (name) => !systems.some((system) => system.name.toLowerCase() === name.toLowerCase()),
  );
  return [...systems, ...missing.map((name) => ({ name, status: 'not-reported' as const, detail: '' }))];
}
