import type { LogEntry } from '../cloud/ports/logs.ts';
import { apply, type StartupSignal } from './apply.ts';
import { asideWords } from './asides.ts';
import { RecentKeys } from './dedupe.ts';
import { toProfile } from './fold.ts';
import type { StartupFormats } from './formats.ts';
import { type Fact, interpret } from './interpret.ts';
import { compileFormats, type LineMatcher } from './lines.ts';
import { frameworks } from './presets.ts';
import type { RevisionProfile, StartupReport } from './profile.ts';
import { Revision } from './revision.ts';
import { compareTimes } from './time.ts';

export type { StartupSignal } from './apply.ts';

export type StartupReaderOptions = {
  formats: StartupFormats;
  /** Only this service's entries. */
  service?: string;
  /** Only this revision's entries. */
  revision?: string | undefined;
  /** RFC 3339 UTC: entries before it tell of another start. */
  startedAfter?: string;
  /** Told as not-reported until they report. */
  requiredSystems?: readonly string[];
};

const maxRevisions = 1024;
/** Counted up to here. */
const maxOmitted = 10_000;
/** Repeats are known among so many entries that said something. */
const recentEntries = 50_000;
const nothing: readonly StartupSignal[] = Object.freeze([]);

/**
 * Folds log entries into startup profiles, a revision each. Entries may come in any order and more than once:
 * within the bounds of its memory the result is the same. Entries without a revision are passed over.
 */
export class StartupReader {
  readonly #options: StartupReaderOptions;
  readonly #matcher: LineMatcher;
  readonly #revisions = new Map<string, Revision>();
  readonly #omitted = new Set<string>();
  readonly #recent = new RecentKeys(recentEntries);

  constructor(options: StartupReaderOptions) {
    this.#options = options;
    this.#matcher = compileFormats([...options.formats, frameworks], asideWords);
  }

  /** Takes an entry and gives what it newly made known. */
  push(entry: LogEntry): readonly StartupSignal[] {
    const { service, revision: wanted, startedAfter } = this.#options;
    if (wanted !== undefined && entry.revision !== wanted) return nothing;
    if (entry.revision === '' || (service !== undefined && entry.service !== service)) return nothing;
    if (startedAfter !== undefined && compareTimes(entry.timestamp, startedAfter) < 0) return nothing;
    const revision = this.#revision(entry);
    if (!revision) return nothing;
    const instance = revision.instance(entry.instance, entry.timestamp);
    const facts = interpret(entry, this.#matcher);
    if (facts.length === 0 || (facts.some(counts) && !this.#recent.add(keyOf(entry)))) return nothing;
    const signals = apply(facts, revision, instance, { at: entry.timestamp, id: entry.insertId });
    return signals.length === 0 ? nothing : signals;
  }

  report(): StartupReport {
    const revisions = [...this.#revisions.values()].sort(
      (a, b) => compareText(a.service, b.service) || compareText(a.name, b.name),
    );
    const report: StartupReport = {
      version: 1,
      revisions: revisions.map((revision) => this.#profile(revision)),
    };
    return this.#omitted.size === 0 ? report : { ...report, omittedRevisions: this.#omitted.size };
  }

  profile(name: string): RevisionProfile | undefined {
    for (const revision of this.#revisions.values())
      if (revision.name === name) return this.#profile(revision);
    return undefined;
  }

  #profile(revision: Revision): RevisionProfile {
    return toProfile(revision, { requiredSystems: this.#options.requiredSystems ?? [] });
  }

  #revision(entry: LogEntry): Revision | undefined {
    const known = this.#revisions.get(entry.revision);
    if (known?.service === entry.service) return known;
    return this.#lookUp(entry, known ? `${entry.service}/${entry.revision}` : entry.revision);
  }

  /** Two services' revisions of one name (in two regions, say) are kept apart. */
  #lookUp(entry: LogEntry, key: string): Revision | undefined {
    const known = this.#revisions.get(key);
    if (known) return known;
    if (this.#revisions.size >= maxRevisions) {
      if (this.#omitted.size < maxOmitted) this.#omitted.add(key);
      return undefined;
    }
    const revision = new Revision(entry.service, entry.revision);
    this.#revisions.set(key, revision);
    return revision;
  }
}

export const createStartupReader = (options: StartupReaderOptions): StartupReader =>
  new StartupReader(options);

/** Taking these twice changes nothing: the latest, the first or the worst of them holds. */
const idempotent: ReadonlySet<Fact['says']> = new Set([
  'phase',
  'system',
  'total',
  'listening',
  'starting',
  'stopping',
  'ready',
  'answered',
  'words',
  'sql-socket',
]);
const counts = (fact: Fact): boolean => !idempotent.has(fact.says);

const keyOf = (entry: LogEntry): string => `${entry.timestamp} ${entry.insertId} ${entry.log}`;

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
