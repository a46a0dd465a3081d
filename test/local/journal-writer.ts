// Writes record after record, and says on stdout which are acknowledged; until it is killed.
import { z } from 'zod';
import { openCollection } from '../../src/local/journal/collection.ts';
import { openJournal } from '../../src/local/journal/journal.ts';

const [, , home = '', first = '0'] = process.argv;
const journal = openJournal({ home, compactAt: 2000 });
const schema = z.object({ key: z.string(), n: z.int(), filler: z.string() });
const records = openCollection({ journal, name: 'records', schema, keyOf: ({ key }) => key });
const keys = 20;

/** Many write at once, each its own key, and each goes on when its write is acknowledged. */
async function write(key: string): Promise<void> {
  for (let n = Number(first); ; n++) {
    await records.put({ key, n, filler: 'x'.repeat(n % 300) });
    process.stdout.write(`${key} ${n}\n`);
  }
}

await Promise.all(Array.from({ length: keys }, (_, key) => write(`k${key}`)));
