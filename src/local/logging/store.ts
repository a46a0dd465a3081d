import { compareEntries, type EntryKey, type StoredEntry } from './entry.ts';
import type { Predicate } from './filter/evaluate.ts';

const defaultLimits = { entries: 200_000, characters: 64 * 1024 * 1024 };

export type EntryQuery = {
  /** `projects/P`: entries of other projects are not seen. */
  projects: string[];
  matches: Predicate;
  descending: boolean;
  /** Continue behind this entry, whether or not it is still there. */
  after?: EntryKey;
};

/** All entries in memory, ordered; beyond the limits the oldest are forgotten. */
export class EntryStore {
  private readonly limits: typeof defaultLimits;
  private readonly listeners = new Set<(entry: StoredEntry) => void>();
  private entries: StoredEntry[] = [];
  private sizes = 0;

  constructor(limits = defaultLimits) {
    this.limits = limits;
  }

  /** False when the very entry (log, time, insertId) is there already. */
  add(entry: StoredEntry): boolean {
    const last = this.entries.at(-1);
    if (!last || compareEntries(last, entry) < 0) {
      this.entries.push(entry);
    } else {
      const index = this.lowerBound(entry);
      const there = this.entries[index];
      if (there && compareEntries(there, entry) === 0) return false;
      this.entries.splice(index, 0, entry);
    }
    this.sizes += sizeOf(entry);
    this.forget();
    for (const listener of this.listeners) listener(entry);
    return true;
  }

  /** Calls back for every entry added from now on; returns how to stop. */
  subscribe(listener: (entry: StoredEntry) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  *query({ projects, matches, descending, after }: EntryQuery): Generator<StoredEntry> {
    const wanted = inProjects(projects);
    const step = descending ? -1 : 1;
    for (let index = this.startIndex(descending, after); ; index += step) {
      const entry = this.entries[index];
      if (!entry) return;
      if (wanted(entry) && matches(entry)) yield entry;
    }
  }

  /** The names of the logs that have entries, sorted. */
  logNames(projects: string[]): string[] {
    const wanted = inProjects(projects);
    return [...new Set(this.entries.filter(wanted).map((entry) => entry.logName))].sort();
  }

  private startIndex(descending: boolean, after: EntryKey | undefined): number {
    if (!after) return descending ? this.entries.length - 1 : 0;
    const index = this.lowerBound(after);
    if (descending) return index - 1;
    const there = this.entries[index];
    return there && compareEntries(there, after) === 0 ? index + 1 : index;
  }

  /** Index of the first entry that is not before the key. */
  private lowerBound(key: EntryKey): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.entries[middle];
      if (entry && compareEntries(entry, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A tenth at a time: taking single entries off the front of a long array is slow. */
  private forget(): void {
    const { limits } = this;
    if (this.entries.length <= limits.entries && this.sizes <= limits.characters) return;
    const maxKept = Math.floor(limits.entries * 0.9);
    const maxSizes = limits.characters * 0.9;
    let count = 0;
    while (this.entries.length - count > maxKept || this.sizes > maxSizes) {
      const oldest = this.entries[count];
      if (!oldest) break;
      this.sizes -= sizeOf(oldest);
      count += 1;
    }
    this.entries = this.entries.slice(count);
  }
}

/** Does an entry belong to one of these `projects/P`? */
export function inProjects(projects: string[]): (entry: StoredEntry) => boolean {
  const prefixes = projects.map((project) => `${project}/logs/`);
  return ({ logName }) => prefixes.some((prefix) => logName.startsWith(prefix));
}

const sizes = new WeakMap<StoredEntry, number>();

/** Roughly the characters of an entry's content; the payload is what varies. */
function sizeOf(entry: StoredEntry): number {
  const known = sizes.get(entry);
  if (known !== undefined) return known;
  const payload = entry.jsonPayload
    ? JSON.stringify(entry.jsonPayload).length
    : (entry.textPayload?.length ?? 0);
  const size = 500 + payload;
  sizes.set(entry, size);
  return size;
}
