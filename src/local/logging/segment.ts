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
import type { Place, Row } from './columns.ts';
import { type Line, parseLine } from './line.ts';
import { decodeRecords, encodeRecord, type IndexRecord } from './segment-index.ts';
import type { Streams } from './streams.ts';

/** What a line says: an entry is there, or all entries of a log so far are gone. */
export type KnownLine = { kind: 'row'; row: Row } | { kind: 'deleted'; logName: string };

/** One file of NDJSON and its index. Lines are only ever added. */
export class Segment {
  readonly number: number;
  private readonly file: string;
  private readonly streams: Streams;
  /** Streams by the numbers that the index gives them, and back. */
  private readonly local: number[] = [];
  private readonly localOf = new Map<number, number>();
  private readonly data: number;
  private readonly index: number;
  private bytes = 0;
  private indexBytes = 0;
  private rowCount = 0;

  constructor(file: string, number: number, streams: Streams) {
    this.file = file;
    this.number = number;
    this.streams = streams;
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

  /** What is there: by the index and, beyond it or without it, by the lines themselves. */
  load(): KnownLine[] {
    const { size } = fstatSync(this.data);
    const known: KnownLine[] = [];
    for (const { record, end } of decodeRecords(readFileSync(indexOf(this.file)))) {
      if (!this.isPossible(record, size)) break;
      if (record.kind === 'stream') this.addStream(this.streams.numberOf(record.stream));
      known.push(...this.learn(record));
      this.indexBytes = end;
    }
    ftruncateSync(this.index, this.indexBytes);
    if (this.bytes < size) known.push(...this.recover(size));
    return known;
  }

  /** All of the lines or, when the disk does not take them, an exception and none. */
  append(lines: readonly Line[]): KnownLine[] {
    return this.describe(lines, () => writeAll(this.data, lines.map(({ text }) => text).join('')));
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

  private isPossible(record: IndexRecord, size: number): boolean {
    if (record.kind === 'stream') return true;
    return this.bytes + record.line <= size && (record.kind !== 'row' || record.stream < this.local.length);
  }

  /** Describes lines that a kill kept from the index. It can tear the last one; the next must not continue it. */
  private recover(size: number): KnownLine[] {
    const tail = Buffer.alloc(size - this.bytes);
    readSync(this.data, tail, 0, tail.length, this.bytes);
    const whole = tail.lastIndexOf(0x0a) + 1;
    if (whole < tail.length) {
      console.error(`${this.file}: ${tail.length - whole} bytes of a half-written line are dropped`);
      ftruncateSync(this.data, this.bytes + whole);
    }
    if (whole === 0) return [];
    const lines = tail
      .toString('utf8', 0, whole - 1)
      .split('\n')
      .map((text) => parseLine(text, this.streams));
    return this.describe(lines, () => {});
  }

  private describe(lines: readonly Line[], writeLines: () => void): KnownLine[] {
    const streams = this.local.length;
    const records = lines.flatMap((line) => this.recordsOf(line));
    const index = Buffer.concat(records.map(encodeRecord));
    try {
      writeLines();
      writeAll(this.index, index);
    } catch (error) {
      ftruncateSync(this.data, this.bytes);
      ftruncateSync(this.index, this.indexBytes);
      for (const stream of this.local.splice(streams)) this.localOf.delete(stream);
      throw error;
    }
    this.indexBytes += index.length;
    return records.flatMap((record) => this.learn(record));
  }

  private recordsOf(line: Line): IndexRecord[] {
    const length = Buffer.byteLength(line.text);
    if (line.kind === 'skipped') return [{ kind: 'skipped', line: length }];
    if (line.kind === 'deleted') return [{ kind: 'deleted', line: length, logName: line.logName }];
    const { seconds, nanos, insertId } = line.key;
    const known = this.localOf.get(line.stream);
    const stream = known ?? this.addStream(line.stream);
    const row: IndexRecord = { kind: 'row', line: length, seconds, nanos, insertId, stream };
    return known === undefined ? [{ kind: 'stream', stream: this.streams.at(line.stream) }, row] : [row];
  }

  private addStream(stream: number): number {
    const local = this.local.push(stream) - 1;
    this.localOf.set(stream, local);
    return local;
  }

  private learn(record: IndexRecord): KnownLine[] {
    if (record.kind === 'stream') return [];
    const place = { segment: this.number, offset: this.bytes, length: record.line };
    this.bytes += record.line;
    if (record.kind === 'skipped') return [];
    if (record.kind === 'deleted') return [{ kind: 'deleted', logName: record.logName }];
    this.rowCount += 1;
    const { seconds, nanos, insertId } = record;
    const stream = this.local[record.stream] ?? 0;
    const key = { seconds, nanos, insertId, logName: this.streams.at(stream).logName };
    return [{ kind: 'row', row: { key, stream, place } }];
  }
}

let scratch = Buffer.allocUnsafe(64 * 1024);

function indexOf(file: string): string {
  return file.replace(/\.ndjson$/, '.index');
}

/** A nearly full disk takes a part of a write without an error. */
function writeAll(file: number, content: string | Buffer): void {
  const bytes = Buffer.from(content);
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}
