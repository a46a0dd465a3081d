import pLimit from 'p-limit';
import type { Ledger } from './ledger.ts';
import type { RecordProblem } from './record.ts';

export type Verification = {
  releases: number;
  intact: number;
  /** Ids of before there was a chain. */
  notChained: string[];
  damaged: { release: string; problems: RecordProblem[] }[];
};

const readAtOnce = 8;

/** Follows the chain of every record. */
export async function verifyLedger(ledger: Pick<Ledger, 'ids' | 'read'>): Promise<Verification> {
  const limit = pLimit(readAtOnce);
  const records = await limit.map(await ledger.ids(), (id) => ledger.read(id));
  const found = records.filter((record) => record !== undefined);
  return {
    releases: found.length,
    intact: found.filter(({ intact }) => intact).length,
    notChained: found
      .filter(({ chained, problems }) => !chained && problems.length === 0)
      .map(({ id }) => id),
    damaged: found
      .filter(({ intact, chained, problems }) => !intact && (chained || problems.length > 0))
      .map(({ id, problems }) => ({ release: id, problems })),
  };
}
