import { z } from 'zod';
import { type RowKey, rowKey } from './columns.ts';
import { type StoredEntry, storedEntrySchema } from './entry.ts';
import type { Streams } from './streams.ts';

/** A line of a segment: an entry, or that all entries of a log so far are gone. `text` ends with the newline. */
export type Line =
  | { kind: 'row'; text: string; key: RowKey; stream: number }
  | { kind: 'deleted'; text: string; logName: string }
  /** Of a file that was written elsewhere or is damaged. */
  | { kind: 'skipped'; text: string };

const deletedSchema = z.strictObject({ deletedLog: z.string() });
const lineSchema = z.union([deletedSchema, storedEntrySchema]);

export function entryLine(entry: StoredEntry, key: RowKey, streams: Streams): Line & { kind: 'row' } {
  return { kind: 'row', text: `${JSON.stringify(entry)}\n`, key, stream: streams.numberOf(entry) };
}

export function deletedLine(logName: string): Line {
  const deleted: z.input<typeof deletedSchema> = { deletedLog: logName };
  return { kind: 'deleted', text: `${JSON.stringify(deleted)}\n`, logName };
}

/** `text` without its newline. */
export function parseLine(text: string, streams: Streams): Line {
  const said = lineSchema.safeParse(parseJson(text)).data;
  if (!said) return { kind: 'skipped', text: `${text}\n` };
  if ('deletedLog' in said) return { ...deletedLine(said.deletedLog), text: `${text}\n` };
  return { kind: 'row', text: `${text}\n`, key: rowKey(said), stream: streams.numberOf(said) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
