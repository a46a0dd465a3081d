import type { Channel, Dictionary } from './dictionary.ts';
import type { EntryKey } from './entry.ts';
import type { Bytes } from './segment-index.ts';
import { toProto } from './timestamp.ts';

/** A key whose time is in numbers. */
export type RowKey = { seconds: number; nanos: number; insertId: string; logName: string };

/** Where an entry's line lies: a segment's number, and bytes in its file. */
export type Place = { segment: number; offset: number; length: number };

/** What is known of an entry without reading it. */
export type Row = {
  seconds: number;
  nanos: number;
  channel: number;
  resource: number;
  /** The insertId, in ASCII. */
  id: Bytes;
  place: Place;
};

export function rowKey({ timestamp, insertId, logName }: EntryKey): RowKey {
  return { ...toProto(timestamp), insertId, logName };
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const growRows = 64 * 1024;
const growIdBytes = 1024 * 1024;
/** Reserved as addresses; memory is taken as rows come. */
const maxRows = 8 * 1024 * 1024;
const maxIdBytes = 1024 * 1024 * 1024;

/**
 * The index of the log: one row an entry, in order of arrival, some 60 bytes each. A million entries as objects would
 * take a gigabyte, and the garbage collector's time.
 */
export class Columns {
  private readonly channels: Dictionary<Channel>;
  private readonly seconds = new Float64Array(growable(8));
  private readonly nanos = new Uint32Array(growable(4));
  private readonly channel = new Uint32Array(growable(4));
  private readonly resource = new Uint32Array(growable(4));
  private readonly segment = new Uint32Array(growable(4));
  private readonly offset = new Uint32Array(growable(4));
  private readonly length = new Uint32Array(growable(4));
  /** Where each row's insertId ends; they are ASCII, and lie one behind the other. */
  private readonly idEnd = new Uint32Array(growable(4));
  private readonly ids = Buffer.from(new ArrayBuffer(0, { maxByteLength: maxIdBytes }));
  private rows = 0;

  constructor(channels: Dictionary<Channel>) {
    this.channels = channels;
  }

  get count(): number {
    return this.rows;
  }

  get idBytes(): number {
    return this.idStart(this.rows);
  }

  /** Answers the new row's number. */
  append({ seconds, nanos, channel, resource, id, place }: Row): number {
    const row = this.rows;
    const start = this.idBytes;
    const idEnd = start + id.end - id.start;
    this.grow(row + 1, idEnd);
    for (let from = id.start, to = start; from < id.end; from += 1, to += 1)
      this.ids[to] = at(id.bytes, from);
    this.idEnd[row] = idEnd;
    this.seconds[row] = seconds;
    this.nanos[row] = nanos;
    this.channel[row] = channel;
    this.resource[row] = resource;
    this.segment[row] = place.segment;
    this.offset[row] = place.offset;
    this.length[row] = place.length;
    this.rows += 1;
    return row;
  }

  /** The one total order of entries, which `compareEntries` gives too. */
  compareRows(a: number, b: number): number {
    return (
      at(this.seconds, a) - at(this.seconds, b) ||
      at(this.nanos, a) - at(this.nanos, b) ||
      this.compare(a, this.keyOf(b))
    );
  }

  compare(row: number, key: RowKey): number {
    return (
      at(this.seconds, row) - key.seconds ||
      at(this.nanos, row) - key.nanos ||
      this.compareId(row, key.insertId) ||
      compareText(this.logNameOf(row), key.logName)
    );
  }

  keyOf(row: number): RowKey {
    return {
      seconds: at(this.seconds, row),
      nanos: at(this.nanos, row),
      insertId: this.ids.toString('latin1', this.idStart(row), at(this.idEnd, row)),
      logName: this.logNameOf(row),
    };
  }

  channelOf(row: number): number {
    return at(this.channel, row);
  }

  resourceOf(row: number): number {
    return at(this.resource, row);
  }

  placeOf(row: number): Place {
    return { segment: at(this.segment, row), offset: at(this.offset, row), length: at(this.length, row) };
  }

  /** Forgets the first rows: row `count` becomes row 0. */
  dropFirst(count: number): void {
    const idBytes = this.idStart(count);
    this.ids.copyWithin(0, idBytes, this.idBytes);
    for (const column of [this.seconds, ...this.plain]) column.copyWithin(0, count, this.rows);
    for (let row = count; row < this.rows; row += 1) this.idEnd[row - count] = at(this.idEnd, row) - idBytes;
    this.rows -= count;
  }

  private get plain(): Uint32Array<ArrayBuffer>[] {
    return [this.nanos, this.channel, this.resource, this.segment, this.offset, this.length];
  }

  private logNameOf(row: number): string {
    return this.channels.at(this.channelOf(row))?.logName ?? '';
  }

  private idStart(row: number): number {
    return row === 0 ? 0 : at(this.idEnd, row - 1);
  }

  private compareId(row: number, id: string): number {
    const start = this.idStart(row);
    const length = at(this.idEnd, row) - start;
    const common = Math.min(length, id.length);
    for (let index = 0; index < common; index += 1) {
      const difference = at(this.ids, start + index) - id.charCodeAt(index);
      if (difference !== 0) return difference;
    }
    return length - id.length;
  }

  private grow(rows: number, idBytes: number): void {
    if (idBytes > this.ids.length) this.ids.buffer.resize(Math.min(idBytes + growIdBytes, maxIdBytes));
    if (rows <= this.nanos.length) return;
    const capacity = Math.min(rows + growRows, maxRows);
    this.seconds.buffer.resize(capacity * 8);
    for (const column of [this.idEnd, ...this.plain]) column.buffer.resize(capacity * 4);
  }
}

function growable(elementBytes: number): ArrayBuffer {
  return new ArrayBuffer(0, { maxByteLength: maxRows * elementBytes });
}

function at(column: Uint32Array | Float64Array | Uint8Array, index: number): number {
  return column[index] ?? 0;
}
