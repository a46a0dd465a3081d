import type { DurableEvent, Stamped } from '../release/events.ts';
import { chain } from './chain.ts';

/** NDJSON, one event a line, the last line ended too, chained to what was written before. */
export function encodeSegment(
  before: string,
  events: readonly Stamped<DurableEvent>[],
): { bytes: Uint8Array; head: string } {
  let head = before;
  const lines = events.map((event) => {
    const chained = chain(head, JSON.stringify(event));
    head = chained.digest;
    return `${chained.line}\n`;
  });
  return { bytes: Buffer.from(lines.join('')), head };
}
