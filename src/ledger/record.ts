import { isUtf8 } from 'node:buffer';
import { recordedEventSchema } from '../release/event-schema.ts';
import type { DurableEvent, Stamped } from '../release/events.ts';
import { fits, unchain } from './chain.ts';

/**
 * Something in a record that is not one of its events; the rest is still good. `damaged`: no writer leaves it so,
 * the evidence was changed. `unknown`: as it was written, but not in the words of this version.
 */
export type RecordProblem = { kind: 'damaged' | 'unknown'; segment: string; line: number; why: string };

export type ReleaseRecord = {
  id: string;
  events: Stamped<DurableEvent>[];
  /** Bounded: `intact` counts those too that are left out. */
  problems: RecordProblem[];
  /** Every line is chained to the one before and nothing is damaged: this is what was written. */
  intact: boolean;
  /** False for a record of before there was a chain: readable, but nothing shows that it is what was written. */
  chained: boolean;
  /** The last line's digest, which stands for all of the record so far; the release's id before there is a line. */
  head: string;
  /** How many objects it lies in. */
  segments: number;
};

const maxLineLength = 1024 * 1024;
const maxProblems = 100;

export type Segment = { name: string; bytes: Uint8Array };

/** Reads segments in their order; torn, foreign and repeated lines and broken links are told, not thrown. */
export function decodeSegments(id: string, segments: readonly Segment[]): ReleaseRecord {
  const record: ReleaseRecord = {
    ...{ id, events: [], problems: [], segments: segments.length },
    ...{ intact: true, chained: false, head: id },
  };
  const reading: Reading = { record, before: id };
  for (const { name, bytes } of segments) {
    const damaged = (line: number, why: string) =>
      report(record, { kind: 'damaged', segment: name, line, why });
    if (!isUtf8(bytes)) damaged(0, 'the segment is not all text');
    const lines = Buffer.from(bytes).toString('utf8').split('\n');
    const torn = lines.pop();
    for (const [index, line] of lines.entries()) {
      const broken = follow(reading, line);
      const event = decodeLine(record, line);
      if (!('kind' in event)) record.events.push(event);
      if (broken && !('kind' in event && event.kind === 'damaged')) damaged(index + 1, broken);
      else if ('kind' in event) report(record, { ...event, segment: name, line: index + 1 });
    }
    if (torn) damaged(lines.length + 1, 'the line is torn');
    // A segment is written as a whole, with a line at least.
    else if (lines.length === 0) damaged(0, 'the segment is empty');
  }
  record.intact &&= record.chained;
  return record;
}

/** `before`: what the next line must be chained to; undefined after a line that does not tell. */
type Reading = { record: ReleaseRecord; before: string | undefined };

/** Why a line does not follow from the one before. After a break the reading goes on from what the line itself says. */
function follow(reading: Reading, line: string): string | undefined {
  const { record, before } = reading;
  const chained = unchain(line);
  if (!chained) {
    if (record.chained) reading.before = undefined;
    return record.chained ? 'the line is not chained to the one before' : undefined;
  }
  const unchainedBefore = !record.chained && record.events.length > 0;
  reading.before = chained.digest;
  record.head = chained.digest;
  record.chained = true;
  if (unchainedBefore) return 'the lines before are not chained';
  if (before === undefined || fits(before, chained)) return undefined;
  return before === record.id
    ? 'this is not the first line as it was written'
    : 'this line, or one before it, is not as it was written';
}

type NoEvent = Pick<RecordProblem, 'kind' | 'why'>;

/** The event, or why the line is none. */
function decodeLine(record: ReleaseRecord, line: string): Stamped<DurableEvent> | NoEvent {
  const damaged = (why: string): NoEvent => ({ kind: 'damaged', why });
  if (line.length > maxLineLength) return damaged(`the line is longer than ${maxLineLength} characters`);
  const json = jsonOf(line);
  if (json === undefined) return damaged('the line is not JSON');
  const parsed = recordedEventSchema.safeParse(json);
  if (!parsed.success) {
    return { kind: 'unknown', why: `not an event of this version: ${firstIssue(parsed.error.issues)}` };
  }
  if (parsed.data.release !== record.id) return damaged('an event of another release');
  const last = record.events.at(-1);
  if (last && parsed.data.seq <= last.seq) return damaged(`event ${parsed.data.seq} after event ${last.seq}`);
  return parsed.data;
}

/** Tells a problem of a record; what is damaged is no evidence any more. */
export function report(record: ReleaseRecord, problem: RecordProblem): void {
  if (problem.kind === 'damaged') record.intact = false;
  if (record.problems.length < maxProblems) record.problems.push(problem);
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function firstIssue(issues: readonly { path: PropertyKey[]; message: string }[]): string {
  const issue = issues[0];
  return issue ? `${issue.path.map(String).join('.') || 'line'}: ${issue.message}` : 'unreadable';
}
