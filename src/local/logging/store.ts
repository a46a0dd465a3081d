import { Columns, compareKeys, type RowKey, rowKey } from './columns.ts';
import type { StoredEntry } from './entry.ts';
import { deletedLine, entryLine, type Line } from './line.ts';
import { type Page, type Query, search } from './search.ts';
import type { KnownLine } from './segment.ts';
import { Segments } from './segments.ts';
import { Streams } from './streams.ts';
import { Timeline } from './timeline.ts';

/** Beyond one of them the oldest segment is forgotten. */
export type StoreLimits = { entries: number; bytes: number; idBytes: number; segmentBytes: number };

const defaultLimits: StoreLimits = {
  entries: 2_000_000,
  bytes: 2 * 1024 ** 3,
  idBytes: 128 * 1024 ** 2,
  segmentBytes: 64 * 1024 ** 2,
};

/** The log: lines on disk, and in memory what finds them. */
export class EntryStore {
  private readonly limits: StoreLimits;
  private readonly listeners = new Set<(entry: StoredEntry) => void>();
  private readonly streams = new Streams();
  private readonly columns = new Columns(this.streams);
  private readonly timeline = new Timeline(this.columns);
  private readonly segments: Segments;

  constructor(folder: string, limits: Partial<StoreLimits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
    this.segments = new Segments(folder, this.streams, this.limits.segmentBytes);
    for (const lines of this.segments.load()) this.learn(lines);
    this.forget();
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
    this.append(fresh.map(({ entry, key }) => entryLine(entry, key, this.streams)));
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

  search(query: Query): Page {
    const { streams, columns, timeline } = this;
    return search(
      { streams, columns, timeline, read: (place) => parseEntry(this.segments.read(place)) },
      query,
    );
  }

  /** The names of the logs that have entries, sorted. */
  logNames(): string[] {
    const names = new Set<string>();
    const used = new Set<number>();
    for (let place = 0; place < this.timeline.count; place += 1)
      used.add(this.columns.streamOf(this.timeline.rowAt(place)));
    for (const stream of used) names.add(this.streams.at(stream).logName);
    return [...names].sort();
  }

  close(): void {
    this.segments.close();
  }

  private append(lines: readonly Line[]): void {
    this.learn(this.segments.append(lines));
    this.forget();
  }

  private learn(lines: readonly KnownLine[]): void {
    let rows: { row: number; key: RowKey }[] = [];
    const insert = () => {
      this.timeline.insert(rows.sort((a, b) => compareKeys(a.key, b.key)));
      rows = [];
    };
    for (const line of lines) {
      if (line.kind === 'row') rows.push({ row: this.columns.append(line.row), key: line.row.key });
      else {
        insert();
        this.forgetLog(line.logName);
      }
    }
    insert();
  }

  private forgetLog(logName: string): void {
    const isOfLog = (row: number) => this.streams.at(this.columns.streamOf(row)).logName === logName;
    this.timeline.keep((row) => (isOfLog(row) ? undefined : row));
  }

  private forget(): void {
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

/** Only lines that were understood when they came have a row. */
function parseEntry(line: string): StoredEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Checking a line that this store wrote with the whole schema takes four times as long as parsing it. */
function isEntry(value: unknown): value is StoredEntry {
  return typeof value === 'object' && value !== null && 'logName' in value && 'insertId' in value;
}
