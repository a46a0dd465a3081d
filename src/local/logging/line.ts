import { z } from 'zod';
import { type RowKey, rowKey } from './columns.ts';
import { channelText, resourceText } from './dictionary.ts';
import { type StoredEntry, storedEntrySchema } from './entry.ts';
import { parseJson } from './json.ts';

/** A line of a segment: an entry, or that all entries of a log so far are gone. `text` ends with the newline. */
export type Line =
  | { kind: 'row'; text: string; key: RowKey; channel: string; resource: string }
  | { kind: 'deleted'; text: string; logName: string }
  /** Of a file that was written elsewhere or is damaged. */
  | { kind: 'skipped'; text: string };

const deletedSchema = z.strictObject({ deletedLog: z.string() });
const lineSchema = z.union([deletedSchema, storedEntrySchema]);

export function entryLine(
  entry: StoredEntry,
  key = rowKey(entry),
  text = `${JSON.stringify(entry)}\n`,
): Line & { kind: 'row' } {
  return { kind: 'row', text, key, channel: channelText(entry), resource: resourceText(entry.resource) };
}

export function deletedLine(logName: string): Line {
  const deleted: z.input<typeof deletedSchema> = { deletedLog: logName };
  return { kind: 'deleted', text: `${JSON.stringify(deleted)}\n`, logName };
}

export function parseLine(text: string): Line {
  const said = lineSchema.safeParse(parseJson(text)).data;
  if (!said) return { kind: 'skipped', text };
  if ('deletedLog' in said) return { kind: 'deleted', text, logName: said.deletedLog };
  return entryLine(said, rowKey(said), text);
}
