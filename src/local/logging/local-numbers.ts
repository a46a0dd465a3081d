import type { Dictionary } from './dictionary.ts';

/** The numbers that one index file gives to the terms of a dictionary, from 0. */
export class LocalNumbers {
  private readonly dictionary: Dictionary<unknown>;
  private readonly globals: number[] = [];
  private readonly locals = new Map<number, number>();

  constructor(dictionary: Dictionary<unknown>) {
    this.dictionary = dictionary;
  }

  get count(): number {
    return this.globals.length;
  }

  add(text: string): number {
    const global = this.dictionary.numberOf(text);
    const local = this.globals.push(global) - 1;
    this.locals.set(global, local);
    return local;
  }

  numberOf(text: string): { number: number; isNew: boolean } {
    const there = this.locals.get(this.dictionary.numberOf(text));
    return there === undefined ? { number: this.add(text), isNew: true } : { number: there, isNew: false };
  }

  globalOf(local: number): number {
    return this.globals[local] ?? 0;
  }

  /** Forgets all but the first. */
  truncate(count: number): void {
    for (const global of this.globals.splice(count)) this.locals.delete(global);
  }
}
