import { Columns, type Place, rowKey } from './columns.ts';
import { makeDictionaries } from './dictionary.ts';
import type { StoredEntry } from './entry.ts';
import { planFilter } from './filter/plan.ts';
import { parseJson } from './json.ts';
import { deletedLine, entryLine, type Line } from './line.ts';
import { makeQuestion, type Page, type Query, type Question, search } from './search.ts';
import type { Learner } from './segment.ts';
import { Segments } from './segments.ts';
import { Timeline } from './timeline.ts';

/** Beyond one of them the oldest segment is forgotten. */
export type StoreLimits = { entries: number; bytes: number; idBytes: number; segmentBytes: number };

const defaultLimits: StoreLimits = {
  entries: 2_000_000,
  bytes: 2 * 1024 ** 3,
  idBytes: 128 * 1024 ** 2,
  segmentBytes: 64 * 1024 ** 2,
};

const maxQuestions = 4;

/** The log: lines on disk, and in memory what finds them. */
export class EntryStore {
  private readonly limits: StoreLimits;
  private readonly listeners = new Set<(entry: StoredEntry) => void>();
  private readonly dictionaries = makeDictionaries();
  private readonly columns = new Columns(this.dictionaries.channels);
  private readonly timeline = new Timeline(this.columns);
  private readonly segments: Segments;
  private readonly questions = new Map<string, Question>();

  constructor(folder: string, limits: Partial<StoreLimits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
    this.segments = new Segments(folder, this.dictionaries, this.limits.segmentBytes);
    this.learn((learner) => this.segments.load(learner));
  }

  /** Leaves out entries (by log, time, insertId) that are there already. Throws when the disk is full, writing none. */
  write(entries: readonly StoredEntry[]): void {
    const keyed = entries.map((entry) => ({ entry, key: rowKey(entry) }));
    const seen = new Set<string>();
    const fresh = keyed.filter(({ key }) => {
      const text = JSON.stringify(key);
      return !seen.has(text) && seen.add(text) && !this.timeline.has(key);
    });
    if (fresh.length === 0) return;
    this.append(fresh.map(({ entry, key }) => entryLine(entry, key)));
    for (const { entry } of fresh) for (const listener of this.listeners) listener(entry);
  }

  /** Forgets all entries of a log; false when there are none. */
  deleteLog(logName: string): boolean {
    if (!this.logNames().includes(logName)) return false;
    this.append([deletedLine(logName)]);
    return true;
  }

  /** Calls back for every entry added from now on; returns how to stop. */
  subscribe(listener: (entry: StoredEntry) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Throws a FilterError. What was asked last is kept with what is known of its answer: pages are asked one by one. */
  question(projects: readonly string[], filter: string): Question {
    const key = JSON.stringify([projects, filter]);
    const question = this.questions.get(key) ?? makeQuestion(this.dictionaries, projects, planFilter(filter));
    this.questions.delete(key);
    this.questions.set(key, question);
    const [oldest] = this.questions.keys();
    if (this.questions.size > maxQuestions && oldest !== undefined) this.questions.delete(oldest);
    return question;
  }

  search(query: Query): Page {
    const { columns, timeline } = this;
    const read = (place: Place) => asEntry(parseJson(this.segments.read(place)));
    return search({ columns, timeline, read }, query);
  }

  /** The names of the logs that have entries, sorted. */
  logNames(): string[] {
    const used = new Set<number>();
    for (let place = 0; place < this.timeline.count; place += 1)
      used.add(this.columns.channelOf(this.timeline.rowAt(place)));
    const names = [...used].flatMap((channel) => this.dictionaries.channels.at(channel)?.logName ?? []);
    return [...new Set(names)].sort();
  }

  close(): void {
    this.segments.close();
  }

  private append(lines: readonly Line[]): void {
    this.learn((learner) => this.segments.append(lines, learner));
  }

  private learn(from: (learner: Learner) => void): void {
    let settled = this.columns.count;
    const settle = () => {
      this.timeline.insert(settled, this.columns.count);
      settled = this.columns.count;
    };
    from({
      row: (...known) => this.columns.append(...known),
      deleted: (logName) => {
        settle();
        this.forgetLog(logName);
      },
    });
    settle();
    this.forgetOldest();
  }

  private forgetLog(logName: string): void {
    const { channels } = this.dictionaries;
    this.timeline.keep((row) => {
      const isGone = channels.at(this.columns.channelOf(row))?.logName === logName;
      return isGone ? undefined : row;
    });
  }

  private forgetOldest(): void {
    const { columns, limits, segments } = this;
    while (
      columns.count > limits.entries ||
      columns.idBytes > limits.idBytes ||
      segments.size > limits.bytes
    ) {
      const dropped = segments.dropOldest();
      if (dropped === undefined) return;
      columns.dropFirst(dropped);
      this.timeline.keep((row) => (row < dropped ? undefined : row - dropped));
    }
  }
}

/** Checking a line that this store wrote with the whole schema takes four times as long as parsing it. */
function asEntry(value: unknown): StoredEntry | undefined {
  return isEntry(value) ? value : undefined;
}

function isEntry(value: unknown): value is StoredEntry {
  return typeof value === 'object' && value !== null && 'logName' in value && 'insertId' in value;
}
