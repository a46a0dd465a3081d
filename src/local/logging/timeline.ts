import { type Columns, moved, type RowKey } from './columns.ts';

/** The rows of the log in the order of their keys. */
export class Timeline {
  private readonly columns: Columns;
  private order = new Uint32Array(0);
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

  /** Takes in the rows from `first` to before `end`, in whatever order they came. */
  insert(first: number, end: number): void {
    const rows = this.sorted(first, end);
    const count = this.places + rows.length;
    if (count > this.order.length) this.order = moved(this.order, new Uint32Array(2 * count));
    let left = rows.length;
    // From the last on, so that each piece between two of them is moved once.
    for (let before = this.places; left > 0 && before > 0; left -= 1) {
      const row = rows[left - 1] ?? 0;
      const place = this.search(before, (there) => this.columns.compareRows(there, row));
      this.order.copyWithin(place + left, place, before);
      this.order[place + left - 1] = row;
      before = place;
    }
    this.order.set(rows.subarray(0, left));
    this.places = count;
  }

  private sorted(first: number, end: number): Uint32Array {
    const { columns } = this;
    const rows = new Uint32Array(end - first).map((_, index) => first + index);
    const isSorted = rows.every((row) => row === first || columns.compareRows(row - 1, row) <= 0);
    return isSorted ? rows : rows.sort((a, b) => columns.compareRows(a, b));
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
