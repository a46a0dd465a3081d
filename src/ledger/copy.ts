import pLimit from 'p-limit';
import type { ObjectStore } from './object-store.ts';

export type CopyResult = {
  copied: number;
  /** Were there already, the same. */
  there: number;
  /** Are there with another content, which stays: names and both places. */
  differ: { name: string; from: string; to: string }[];
};

/** What a ledger holds for good; locks belong to who runs now. */
const kept = ['releases/', 'signatures/', 'approvals/'];
const foldersAtOnce = 8;

/**
 * Puts everything that one ledger holds into another, where it is absent. Again is harmless. Within a release the
 * order is kept, so that a copy that was cut off is the beginning of a record.
 */
export async function copyLedger(from: ObjectStore, to: ObjectStore): Promise<CopyResult> {
  const result: CopyResult = { copied: 0, there: 0, differ: [] };
  const names = (await Promise.all(kept.map((prefix) => from.list(prefix)))).flat();
  const folders = Map.groupBy(names, (name) => name.slice(0, name.lastIndexOf('/')));
  const limit = pLimit(foldersAtOnce);
  await limit.map(folders.values(), async (group) => {
    for (const name of group) await copyOne(from, to, name, result);
  });
  return result;
}

async function copyOne(from: ObjectStore, to: ObjectStore, name: string, result: CopyResult): Promise<void> {
  const source = await from.read(name);
  if (!source) return;
  if ((await to.create(name, source.bytes)) !== 'exists') {
    result.copied += 1;
    return;
  }
  const found = await to.read(name);
  if (found && Buffer.compare(found.bytes, source.bytes) === 0) result.there += 1;
  else result.differ.push({ name, from: from.where(name), to: to.where(name) });
}
