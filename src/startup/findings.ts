import type { Diagnosis } from './diagnose.ts';
import type { Finding } from './profile.ts';
import { compareSightings, compareTimes, type Sighting } from './time.ts';

const maxEntries = 20;
/** Different findings a book keeps; beyond, the least severe and latest make room. */
const maxFindings = 64;

export type Severity = Finding['severity'];

const rank: Record<Severity, number> = { fatal: 0, error: 1, warning: 2 };

/** A finding while it is still counted. */
export type Noted = Diagnosis & {
  severity: Severity;
  count: number;
  first: Sighting;
  last: Sighting;
  /** The earliest sightings, in order. */
  entries: Sighting[];
};

/** Counts sightings by finding. What it holds does not depend on the order in which they came. */
export class FindingBook {
  readonly #noted = new Map<string, Noted>();
  /** Findings were dropped for room. */
  overflowed = false;

  get all(): Iterable<Noted> {
    return this.#noted.values();
  }

  /** The finding when it is new, or now more severe; undefined for a repetition. */
  note(diagnosis: Diagnosis, severity: Severity, sighting: Sighting, count = 1): Noted | undefined {
    const known = this.#noted.get(diagnosis.key);
    if (!known)
      return this.#add({
        ...diagnosis,
        severity,
        count,
        first: sighting,
        last: sighting,
        entries: [sighting],
      });
    const raised = rank[severity] < rank[known.severity];
    if (raised) known.severity = severity;
    known.fatal ||= diagnosis.fatal;
    known.tier = Math.min(known.tier, diagnosis.tier);
    known.count += count;
    if (compareSightings(sighting, known.first) < 0) {
      known.first = sighting;
      known.cause = diagnosis.cause;
      known.hint = diagnosis.hint;
    }
    if (compareSightings(sighting, known.last) > 0) known.last = sighting;
    insert(known.entries, sighting);
    return raised ? known : undefined;
  }

  /** Takes over what another book noted, with a severity of the caller's choice. */
  merge(noted: Noted, severity: Severity): void {
    const [first, ...rest] = noted.entries;
    if (!first) return;
    this.note(noted, severity, noted.first, noted.count);
    const mine = this.#noted.get(noted.key);
    if (!mine) return;
    if (compareSightings(noted.last, mine.last) > 0) mine.last = noted.last;
    for (const sighting of rest) insert(mine.entries, sighting);
  }

  #add(noted: Noted): Noted | undefined {
    if (this.#noted.size >= maxFindings) {
      this.overflowed = true;
      const weakest = [...this.#noted.values()].sort(byWeight).at(-1);
      if (!weakest || byWeight(noted, weakest) >= 0) return undefined;
      this.#noted.delete(weakest.key);
    }
    this.#noted.set(noted.key, noted);
    return noted;
  }
}

function insert(entries: Sighting[], sighting: Sighting): void {
  let at = entries.length;
  while (at > 0) {
    const before = entries[at - 1];
    if (!before) break;
    const order = compareSightings(before, sighting);
    if (order === 0) return;
    if (order < 0) break;
    at -= 1;
  }
  if (at >= maxEntries) return;
  entries.splice(at, 0, sighting);
  if (entries.length > maxEntries) entries.pop();
}

/** Fatal ones first, then by what explains most, then by time. */
export function byWeight(a: Noted, b: Noted): number {
  return (
    rank[a.severity] - rank[b.severity] ||
    a.tier - b.tier ||
    compareTimes(a.first.at, b.first.at) ||
    (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  );
}

export function toFinding(noted: Noted, severity: Severity = noted.severity): Finding {
  return {
    severity,
    category: noted.category,
    cause: noted.cause,
    hint: noted.hint,
    count: noted.count,
    firstSeen: noted.first.at,
    lastSeen: noted.last.at,
    entries: noted.entries.map((entry) => entry.id),
  };
}
