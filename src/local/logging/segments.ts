import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Place } from './columns.ts';
import type { Dictionaries } from './dictionary.ts';
import type { Line } from './line.ts';
import { type Learner, Segment } from './segment.ts';

const filePattern = /^entries-(\d{8})\.ndjson$/;

/**
 * The lines of the log on disk, in files of bounded size, of which the oldest can go. A line that was appended is with
 * the kernel, so a killed process loses none; a machine that loses its power may.
 */
export class Segments {
  private readonly folder: string;
  private readonly dictionaries: Dictionaries;
  private readonly segmentBytes: number;
  private readonly segments = new Map<number, Segment>();
  private active: Segment | undefined;

  constructor(folder: string, dictionaries: Dictionaries, segmentBytes: number) {
    this.folder = folder;
    this.dictionaries = dictionaries;
    this.segmentBytes = segmentBytes;
    mkdirSync(folder, { recursive: true });
  }

  /** In bytes. */
  get size(): number {
    let size = 0;
    for (const segment of this.segments.values()) size += segment.size;
    return size;
  }

  /** Tells what is there, the oldest first. */
  load(learner: Learner): void {
    for (const number of listNumbers(this.folder)) this.open(number).load(learner);
  }

  /** All of the lines or, when the disk does not take them, an exception and none. */
  append(lines: readonly Line[], learner: Learner): void {
    if (!this.active || this.active.size >= this.segmentBytes) this.open((this.active?.number ?? 0) + 1);
    this.active?.append(lines, learner);
  }

  read(place: Place): string {
    return this.segments.get(place.segment)?.read(place) ?? '';
  }

  /** Answers how many rows went; nothing when there is only the one that is written to. */
  dropOldest(): number | undefined {
    const [oldest] = this.segments.values();
    if (!oldest || oldest === this.active) return undefined;
    oldest.remove();
    this.segments.delete(oldest.number);
    return oldest.rows;
  }

  close(): void {
    for (const segment of this.segments.values()) segment.close();
    this.segments.clear();
    this.active = undefined;
  }

  private open(number: number): Segment {
    const name = `entries-${String(number).padStart(8, '0')}.ndjson`;
    const segment = new Segment(path.join(this.folder, name), number, this.dictionaries);
    this.segments.set(number, segment);
    this.active = segment;
    return segment;
  }
}

function listNumbers(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => filePattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}
