// Where messages are kept: in PostgreSQL where DB_HOST says so, else in a file.
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function openStore() {
  const { DB_HOST, DB_USER, DB_PASSWORD, DB_NAME = 'postgres' } = process.env;
  if (!DB_HOST) return openFile();
  const { openPostgres } = await import('./postgres.js');
  return openPostgres({ host: DB_HOST, user: DB_USER, password: DB_PASSWORD, database: DB_NAME });
}

/** A table in a file: one JSON line a row, each write on disk before it counts. */
async function openFile() {
  const folder = await mkdtemp(join(tmpdir(), 'chat-'));
  const file = await open(join(folder, 'messages.jsonl'), 'a+');
  return {
    async insert(row) {
      await file.appendFile(`${JSON.stringify(row)}\n`);
      await file.datasync();
    },
    /** The newest row with this id, read back from the disk. */
    async find(id) {
      const { size } = await file.stat();
      const { buffer } = await file.read(Buffer.alloc(size), 0, size, 0);
      const rows = buffer
        .toString('utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      return rows.findLast((row) => row.id === id);
    },
    async describe() {
      return { engine: 'file' };
    },
    async close() {
      await file.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
