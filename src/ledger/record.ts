import { type DurableEvent, recordedEventSchema, type Stamped } from '../release/events.ts';

/** Something in a record that is not one of its events; the rest is still good. */
type RecordProblem = { segment: string; line: number; why: string };

export type ReleaseRecord = { id: string; events: Stamped<DurableEvent>[]; problems: RecordProblem[] };

const maxLineLength = 1024 * 1024;
const maxProblems = 100;

/** NDJSON, one event a line, the last line ended too. */
export function encodeSegment(events: readonly Stamped<DurableEvent>[]): Uint8Array {
  return Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

/** Reads segments in their order; torn, foreign and repeated lines are told, not thrown. */
export function decodeSegments(
  id: string,
  segments: readonly { name: string; bytes: Uint8Array }[],
): ReleaseRecord {
  const record: ReleaseRecord = { id, events: [], problems: [] };
  for (const { name, bytes } of segments) {
    const lines = Buffer.from(bytes).toString('utf8').split('\n');
    const torn = lines.pop();
    for (const [index, line] of lines.entries()) {
      const event = decodeLine(record, line);
      if (typeof event === 'string') report(record, name, index + 1, event);
      else record.events.push(event);
    }
    if (torn) report(record, name, lines.length + 1, 'the line is torn');
  }
  return record;
}

/** The event, or why the line is none. */
function decodeLine(record: ReleaseRecord, line: string): Stamped<DurableEvent> | string {
  if (line.length > maxLineLength) return `the line is longer than ${maxLineLength} characters`;
  const parsed = recordedEventSchema.safeParse(jsonOf(line));
  if (!parsed.success) return `not an event of this version: ${firstIssue(parsed.error.issues)}`;
  if (parsed.data.release !== record.id) return 'an event of another release';
  const last = record.events.at(-1);
  if (last && parsed.data.seq <= last.seq) return `event ${parsed.data.seq} after event ${last.seq}`;
  return parsed.data;
}

function report(record: ReleaseRecord, segment: string, line: number, why: string): void {
  if (record.problems.length < maxProblems) record.problems.push({ segment, line, why });
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
