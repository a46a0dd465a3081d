import type { Channel, Dictionary } from './dictionary.ts';
import type { EntryKey } from './entry.ts';
import type { KnownRow } from './segment-index.ts';
import { toProto } from './timestamp.ts';

/** A key whose time is in numbers. */
export type RowKey = { seconds: number; nanos: number; insertId: string; logName: string };

/** Where an entry's line lies: a segment's number, and bytes in its file. */
export type Place = { segment: number; offset: number; length: number };

export function rowKey({ timestamp, insertId, logName }: EntryKey): RowKey {
  return { ...toProto(timestamp), insertId, logName };
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** What is known of every row. `idEnd` is where its insertId ends: they lie one behind the other, in ASCII. */
const names = ['nanos', 'channel', 'resource', 'segment', 'offset', 'length', 'idEnd'] as const;
type Numbers = Record<(typeof names)[number], Uint32Array>;

/**
 * The index of the log: one row an entry, in order of arrival, some 60 bytes each. A million entries as objects would
 * take a gigabyte, and the garbage collector's time.
 */
export class Columns {
  private readonly channels: Dictionary<Channel>;
  private seconds = new Float64Array(0);
  private readonly numbers = noNumbers();
  private ids = Buffer.alloc(0);
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

  /** Takes its numbers one by one: a start appends a million, and objects for them would take most of its time. */
  append(known: KnownRow, channel: number, resource: number, segment: number, offset: number): void {
    const { rows } = this;
    const { bytes, idStart, idEnd } = known;
    let end = this.idBytes;
    this.reserve(rows + 1, end + idEnd - idStart);
    const { ids, numbers } = this;
    for (let from = idStart; from < idEnd; from += 1, end += 1) ids[end] = bytes[from] ?? 0;
    this.seconds[rows] = known.seconds;
    numbers.nanos[rows] = known.nanos;
    numbers.channel[rows] = channel;
    numbers.resource[rows] = resource;
    numbers.segment[rows] = segment;
    numbers.offset[rows] = offset;
    numbers.length[rows] = known.line;
    numbers.idEnd[rows] = end;
    this.rows += 1;
  }

  /** The one total order of entries, which `compareEntries` gives too. */
  compareRows(a: number, b: number): number {
    return (
      at(this.seconds, a) - at(this.seconds, b) ||
      at(this.numbers.nanos, a) - at(this.numbers.nanos, b) ||
      this.compare(a, this.keyOf(b))
    );
  }

  compare(row: number, key: RowKey): number {
    return (
      at(this.seconds, row) - key.seconds ||
      at(this.numbers.nanos, row) - key.nanos ||
      this.compareId(row, key.insertId) ||
      compareText(this.logNameOf(row), key.logName)
    );
  }

  keyOf(row: number): RowKey {
    return {
      seconds: at(this.seconds, row),
      nanos: at(this.numbers.nanos, row),
      insertId: this.ids.toString('latin1', this.idStart(row), at(this.numbers.idEnd, row)),
      logName: this.logNameOf(row),
    };
  }

  channelOf(row: number): number {
    return at(this.numbers.channel, row);
  }

  resourceOf(row: number): number {
    return at(this.numbers.resource, row);
  }

  placeOf(row: number): Place {
    const { segment, offset, length } = this.numbers;
    return { segment: at(segment, row), offset: at(offset, row), length: at(length, row) };
  }

  /** Forgets the first rows: row `count` becomes row 0. */
  dropFirst(count: number): void {
    const idBytes = this.idStart(count);
    this.ids.copyWithin(0, idBytes, this.idBytes);
    this.seconds.copyWithin(0, count, this.rows);
    for (const name of names) this.numbers[name].copyWithin(0, count, this.rows);
    this.rows -= count;
    const { idEnd } = this.numbers;
    for (let row = 0; row < this.rows; row += 1) idEnd[row] = at(idEnd, row) - idBytes;
  }

  private logNameOf(row: number): string {
    return this.channels.at(this.channelOf(row))?.logName ?? '';
  }

  private idStart(row: number): number {
    return row === 0 ? 0 : at(this.numbers.idEnd, row - 1);
  }

  private compareId(row: number, id: string): number {
    const start = this.idStart(row);
    const length = at(this.numbers.idEnd, row) - start;
    const common = Math.min(length, id.length);
    for (let index = 0; index < common; index += 1) {
      const difference = (this.ids[start + index] ?? 0) - id.charCodeAt(index);
      if (difference !== 0) return difference;
    }
    return length - id.length;
  }

  private reserve(rows: number, idBytes: number): void {
    if (idBytes > this.ids.length) this.ids = Buffer.concat([this.ids], 2 * idBytes);
    if (rows <= this.seconds.length) return;
    this.seconds = moved(this.seconds, new Float64Array(2 * rows));
    for (const name of names) this.numbers[name] = moved(this.numbers[name], new Uint32Array(2 * rows));
  }
}

function noNumbers(): Numbers {
  const none = new Uint32Array(0);
  return {
    ...{ nanos: none, channel: none, resource: none, segment: none },
    ...{ offset: none, length: none, idEnd: none },
  };
}

export function moved<Column extends Uint32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}

function at(column: Uint32Array | Float64Array, index: number): number {
  return column[index] ?? 0;
}
