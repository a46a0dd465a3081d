import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

/** `server.json`: the server that holds this home, or held it when it was killed. */
const recordSchema = z.object({ port: z.int(), pid: z.int(), nonce: z.string(), stamp: z.string() });
export type ServerRecord = z.infer<typeof recordSchema>;

const fileOf = (home: string) => path.join(home, 'server.json');

export async function writeRecord(home: string, record: ServerRecord): Promise<void> {
  await writeFileAtomic(fileOf(home), JSON.stringify(record), { mode: 0o600 });
}

/** Nothing when there is none, or none that can be read: then there is no server to find. */
export function readRecord(home: string): ServerRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(fileOf(home), 'utf8')));
  } catch {
    return undefined;
  }
}

export function removeRecord(home: string): void {
  rmSync(fileOf(home), { force: true });
}
