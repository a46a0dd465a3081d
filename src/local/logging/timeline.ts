import type { Columns, RowKey } from './columns.ts';

const growPlaces = 64 * 1024;
const maxPlaces = 8 * 1024 * 1024;

/** The rows of the log in the order of their keys. */
export class Timeline {
  private readonly columns: Columns;
  private readonly order = new Uint32Array(new ArrayBuffer(0, { maxByteLength: maxPlaces * 4 }));
  private places = 0;

  constructor(columns: Columns) {
    this.columns = columns;
  }

  get count(): number {
    return this.places;
  }

  rowAt(place: number): number {
    return this.order[place] ?? 0;
  }

  has(key: RowKey): boolean {
    return this.upperBound(key) > this.lowerBound(key);
  }

  /** The first place whose key is not before this one. */
  lowerBound(key: RowKey): number {
    return this.search(this.places, (row) => this.columns.compare(row, key));
  }

  /** The first place whose key is behind this one. */
  upperBound(key: RowKey): number {
    const place = this.lowerBound(key);
    const isThere = place < this.places && this.columns.compare(this.rowAt(place), key) === 0;
    return isThere ? place + 1 : place;
  }

  /** Takes in new rows, in any order. */
  insert(rows: readonly number[]): void {
    const compare = (a: number, b: number) => this.columns.compareRows(a, b);
    const sorted = rows.some((row, index) => compare(rows[index - 1] ?? row, row) > 0)
      ? rows.toSorted(compare)
      : rows;
    const count = this.places + sorted.length;
    if (count > this.order.length)
      this.order.buffer.resize(Math.min(count + growPlaces, maxPlaces) * Uint32Array.BYTES_PER_ELEMENT);
    let end = this.places;
    // From the last on, so that each piece between two of them is moved once.
    for (let index = sorted.length - 1; index >= 0; index -= 1) {
      const row = sorted[index] ?? 0;
      const place = this.search(end, (there) => compare(there, row));
      this.order.copyWithin(place + index + 1, place, end);
      this.order[place + index] = row;
      end = place;
    }
    this.places = count;
  }

  /** Of the places before `end` the first whose row is not before. Most that is new comes behind all that is there. */
  private search(end: number, compare: (row: number) => number): number {
    if (end === 0 || compare(this.rowAt(end - 1)) < 0) return end;
    let low = 0;
    let high = end - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.rowAt(middle)) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Keeps the rows for which `renumber` gives their number from now on. */
  keep(renumber: (row: number) => number | undefined): void {
    let kept = 0;
    for (let place = 0; place < this.places; place += 1) {
      const row = renumber(this.rowAt(place));
      if (row === undefined) continue;
      this.order[kept] = row;
      kept += 1;
    }
    this.places = kept;
  }
}
