import type { StartupFact } from './facts.ts';
import type { Phase, System } from './profile.ts';
import { compareSightings, compareTimes, type Sighting } from './time.ts';

const maxPhases = 64;
const maxSystems = 64;

type PhaseFact = Extract<StartupFact, { says: 'phase' }>;
type SystemFact = Extract<StartupFact, { says: 'system' }>;
type Ended = { at: string; outcome: 'completed' | 'failed'; seconds: number | null; detail: string };
type PhaseRecord = {
  name: string;
  first: Sighting;
  startedAt: string | null;
  ended: Ended | null;
  timed: number | null;
};

/** How far one start has come: its phases and systems, whatever the order in which their lines came. */
export class Progress {
  readonly #phases = new Map<string, PhaseRecord>();
  readonly #systems = new Map<string, System & { at: string }>();
  overflowed = false;

  /** The phase as it now stands, when this changed it. */
  phase(fact: PhaseFact, sighting: Sighting): Phase | undefined {
    let record = this.#phases.get(fact.name);
    const before = record && toPhase(record, null);
    if (!record) {
      if (this.#phases.size >= maxPhases) return this.#full();
      record = { name: fact.name, first: sighting, startedAt: null, ended: null, timed: null };
      this.#phases.set(fact.name, record);
    }
    apply(record, fact, sighting);
    const after = toPhase(record, null);
    return before && before.outcome === after.outcome && before.seconds === after.seconds ? undefined : after;
  }

  /** The system as it now stands, when this changed it: the latest report holds, the worse of two at once. */
  system(fact: SystemFact, at: string): System | undefined {
    const known = this.#systems.get(fact.name);
    if (!known && this.#systems.size >= maxSystems) return this.#full();
    const system = { name: fact.name, status: fact.status, detail: fact.detail };
    const order = known
      ? compareTimes(at, known.at) || worse(system) - worse(known) || compareText(system.detail, known.detail)
      : 1;
    if (order <= 0) return undefined;
    this.#systems.set(fact.name, { ...system, at });
    return known && known.status === system.status && known.detail === system.detail ? undefined : system;
  }

  #full(): undefined {
    this.overflowed = true;
    return undefined;
  }

  get hasPhases(): boolean {
    return this.#phases.size > 0;
  }

  get hasSystems(): boolean {
    return this.#systems.size > 0;
  }

  /** Times at which phases failed for good. */
  get failures(): readonly string[] {
    return [...this.#phases.values()].flatMap((record) =>
      record.ended?.outcome === 'failed' && !reopened(record) ? [record.ended.at] : [],
    );
  }

  /** When the last phase was completed; null while one is open, and where one failed. */
  get endedAt(): string | null {
    let last: string | null = null;
    for (const record of this.#phases.values()) {
      if (record.ended?.outcome !== 'completed' || reopened(record)) return null;
      if (last === null || compareTimes(record.ended.at, last) > 0) last = record.ended.at;
    }
    return last;
  }

  /** Phases as they began; shares of the total, which is their sum where the log gives none. */
  phases(total: number | null): Phase[] {
    const records = [...this.#phases.values()].sort(
      (a, b) => compareSightings(a.first, b.first) || compareText(a.name, b.name),
    );
    const seconds = total ?? records.reduce((sum, record) => sum + (secondsOf(record) ?? 0), 0);
    return records.map((record) => toPhase(record, seconds));
  }

  /** Seconds of all phases together, once each has ended; null before. */
  get sum(): number | null {
    const phases = this.phases(null);
    if (phases.length === 0 || phases.some((phase) => phase.seconds === null)) return null;
    return round(phases.reduce((sum, phase) => sum + (phase.seconds ?? 0), 0));
  }

  get systems(): System[] {
    return [...this.#systems.values()]
      .sort((a, b) => compareTimes(a.at, b.at) || compareText(a.name, b.name))
      .map(({ name, status, detail }) => ({ name, status, detail }));
  }
}

function apply(record: PhaseRecord, fact: PhaseFact, sighting: Sighting): void {
  const { at } = sighting;
  if (compareSightings(sighting, record.first) < 0) record.first = sighting;
  if (fact.state === 'started') {
    if (record.startedAt === null || compareTimes(at, record.startedAt) > 0) record.startedAt = at;
  } else if (fact.state === 'timed') {
    record.timed = Math.max(record.timed ?? 0, fact.seconds ?? 0);
  } else {
    const ended = { at, outcome: fact.state, seconds: fact.seconds, detail: fact.detail };
    if (!record.ended || prevails(ended, record.ended)) record.ended = ended;
  }
}

/** The later end holds; of two at once the failure, then the longer. */
function prevails(a: Ended, b: Ended): boolean {
  const order = compareTimes(a.at, b.at) || Number(a.outcome === 'failed') - Number(b.outcome === 'failed');
  return (order || (a.seconds ?? -1) - (b.seconds ?? -1)) > 0;
}

/** It began again after it had ended. */
const reopened = (record: PhaseRecord): boolean =>
  record.startedAt !== null && record.ended !== null && compareTimes(record.startedAt, record.ended.at) > 0;

const secondsOf = (record: PhaseRecord): number | null =>
  reopened(record) ? null : (record.ended?.seconds ?? record.timed);

function toPhase(record: PhaseRecord, total: number | null): Phase {
  const seconds = secondsOf(record);
  const ended = record.ended?.outcome ?? (record.timed === null ? 'incomplete' : 'completed');
  const share = seconds === null || !total ? null : round(seconds / total);
  return { name: record.name, seconds, share, outcome: reopened(record) ? 'incomplete' : ended };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

const worseOf = { 'not-reported': 0, healthy: 1, degraded: 2, failed: 3 };
const worse = (system: System): number => worseOf[system.status];
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
