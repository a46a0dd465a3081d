import type { Readable } from 'node:stream';
import { errorMessage, SluiceError } from './errors.ts';
import { parseEntriesText } from './startup/entries.ts';
import { defaultFormats } from './startup/presets.ts';
import type { StartupReport } from './startup/profile.ts';
import { createStartupReader } from './startup/reader.ts';

const maxBytes = 512 * 1024 * 1024;

/** Reads a file (or stdin) of log entries into a startup report, with every preset format; of one revision, where one is named. */
export async function readStartupFile(
  input: Readable,
  name: string,
  revision?: string,
): Promise<{ report: StartupReport; entries: number; skipped: number }> {
  const content = await text(input, name);
  const { entries, skipped } = parse(content, name);
  if (content.trim() === '') throw unreadable(name, 'it is empty');
  if (entries.length === 0 && skipped > 0)
    throw unreadable(name, `none of its ${skipped} items is a log entry`);
  const reader = createStartupReader({ formats: defaultFormats, revision });
  for (const entry of entries) reader.push(entry);
  return { report: reader.report(), entries: entries.length, skipped };
}

function parse(content: string, name: string): ReturnType<typeof parseEntriesText> {
  try {
    return parseEntriesText(content);
  } catch (error) {
    throw unreadable(name, errorMessage(error));
  }
}

async function text(input: Readable, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of input) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > maxBytes) throw unreadable(name, `it is over ${maxBytes >> 20} MiB`);
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw unreadable(name, errorMessage(error));
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreadable(name: string, why: string): SluiceError {
  return new SluiceError('usage', {
    what: `${name === '-' ? 'stdin' : name} cannot be read as log entries: ${why}`,
    next: ['gcloud logging read FILTER --format=json > entries.json', 'sluice startup --file entries.json'],
  });
}
