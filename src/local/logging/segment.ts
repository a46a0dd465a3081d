import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import type { Place } from './columns.ts';
import type { Dictionaries } from './dictionary.ts';
import { type Line, parseLine } from './line.ts';
import { LocalNumbers } from './local-numbers.ts';
import {
  encodeRecord,
  type KnownRecord,
  type KnownRow,
  type NewRecord,
  readRecords,
} from './segment-index.ts';

/** Takes in what the lines say, in their order: an entry is there, or all entries of a log so far are gone. */
export type Learner = {
  /** The record is good during the call; its channel and resource are told in numbers that hold for all segments. */
  row(record: KnownRow, channel: number, resource: number, segment: number, offset: number): void;
  deleted(logName: string): void;
};

/** One file of NDJSON and its index. Lines are only ever added. */
export class Segment {
  readonly number: number;
  private readonly file: string;
  private readonly channels: LocalNumbers;
  private readonly resources: LocalNumbers;
  private readonly data: number;
  private readonly index: number;
  private bytes = 0;
  private indexBytes = 0;
  private rowCount = 0;

  constructor(file: string, number: number, { channels, resources }: Dictionaries) {
    this.file = file;
    this.number = number;
    this.channels = new LocalNumbers(channels);
    this.resources = new LocalNumbers(resources);
    this.data = openSync(file, 'a+', 0o600);
    this.index = openSync(indexOf(file), 'a+', 0o600);
  }

  /** In bytes. */
  get size(): number {
    return this.bytes;
  }

  get rows(): number {
    return this.rowCount;
  }

  /** Tells what is there: by the index and, beyond it or without it, by the lines themselves. */
  load(learner: Learner): void {
    const { size } = fstatSync(this.data);
    this.indexBytes = readRecords(readFileSync(indexOf(this.file)), (record) => {
      if (!this.isPossible(record, size)) return false;
      if (record.kind === 'channels' || record.kind === 'resources') this[record.kind].add(record.text);
      this.tell(record, learner);
      return true;
    });
    ftruncateSync(this.index, this.indexBytes);
    if (this.bytes < size) this.recover(size, learner);
  }

  /** All of the lines or, when the disk does not take them, an exception and none. */
  append(lines: readonly Line[], learner: Learner): void {
    const text = lines.map((line) => line.text).join('');
    this.describe(lines, () => writeAll(this.data, Buffer.from(text)), learner);
  }

  /** The text of a line. */
  read({ offset, length }: Place): string {
    if (scratch.length < length) scratch = Buffer.allocUnsafe(length);
    const read = readSync(this.data, scratch, 0, length, offset);
    return scratch.toString('utf8', 0, read);
  }

  close(): void {
    closeSync(this.data);
    closeSync(this.index);
  }

  remove(): void {
    this.close();
    rmSync(indexOf(this.file), { force: true });
    rmSync(this.file, { force: true });
  }

  private isPossible(record: KnownRecord, size: number): boolean {
    if (this.bytes + record.line > size) return false;
    if (record.kind !== 'row') return true;
    return record.channel < this.channels.count && record.resource < this.resources.count;
  }

  /** Describes lines that a kill kept from the index. It can tear the last one; the next must not continue it. */
  private recover(size: number, learner: Learner): void {
    const tail = Buffer.alloc(size - this.bytes);
    readSync(this.data, tail, 0, tail.length, this.bytes);
    const whole = tail.lastIndexOf(0x0a) + 1;
    if (whole < tail.length) {
      console.error(`${this.file}: ${tail.length - whole} bytes of a half-written line are dropped`);
      ftruncateSync(this.data, this.bytes + whole);
    }
    if (whole === 0) return;
    const lines = tail
      .toString('utf8', 0, whole - 1)
      .split('\n')
      .map((text) => parseLine(`${text}\n`));
    this.describe(lines, () => {}, learner);
  }

  private describe(lines: readonly Line[], writeLines: () => void, learner: Learner): void {
    const counts = [this.channels.count, this.resources.count] as const;
    const records = lines.flatMap((line) => this.recordsOf(line));
    const index = Buffer.concat(records.map(encodeRecord));
    try {
      writeLines();
      writeAll(this.index, index);
    } catch (error) {
      ftruncateSync(this.data, this.bytes);
      ftruncateSync(this.index, this.indexBytes);
      this.channels.truncate(counts[0]);
      this.resources.truncate(counts[1]);
      throw error;
    }
    this.indexBytes += index.length;
    readRecords(index, (record) => {
      this.tell(record, learner);
      return true;
    });
  }

  /** What the index says of a line, behind the terms that it has not used yet. */
  private recordsOf(line: Line): NewRecord[] {
    const length = Buffer.byteLength(line.text);
    if (line.kind === 'skipped') return [{ kind: 'skipped', line: length, text: '' }];
    if (line.kind === 'deleted') return [{ kind: 'deleted', line: length, text: line.logName }];
    const records: NewRecord[] = [];
    const numberOf = (kind: 'channels' | 'resources', text: string) => {
      const { number, isNew } = this[kind].numberOf(text);
      if (isNew) records.push({ kind, line: 0, text });
      return number;
    };
    const { insertId, seconds, nanos } = line.key;
    const channel = numberOf('channels', line.channel);
    const resource = numberOf('resources', line.resource);
    records.push({ kind: 'row', line: length, text: insertId, seconds, nanos, channel, resource });
    return records;
  }

  private tell(record: KnownRecord, learner: Learner): void {
    const offset = this.bytes;
    this.bytes += record.line;
    if (record.kind === 'deleted') learner.deleted(record.text);
    if (record.kind !== 'row') return;
    this.rowCount += 1;
    const channel = this.channels.globalOf(record.channel);
    const resource = this.resources.globalOf(record.resource);
    learner.row(record, channel, resource, this.number, offset);
  }
}

let scratch = Buffer.allocUnsafe(64 * 1024);

function indexOf(file: string): string {
  return file.replace(/\.ndjson$/, '.index');
}

/** A nearly full disk takes a part of a write without an error. */
function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}
