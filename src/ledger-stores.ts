import { statSync } from 'node:fs';
import { Waiting } from './cloud/waiting.ts';
import { type LedgerPlace, ledgerPlace } from './config/ledger-place.ts';
import { ledgerPhrase } from './config/schema/ledger.ts';
import { SluiceError } from './errors.ts';
import type { ObjectStore } from './ledger/object-store.ts';
import { type BucketAccess, openStore } from './ledger-bench.ts';
import { connectTo } from './workbench.ts';

/** Two ledgers by their places as typed; a bucket on either side connects to a cloud, once. */
export async function openStores(
  typed: { from: string; to: string },
  options: { local: boolean; project?: string | undefined; signal: AbortSignal },
): Promise<{ from: ObjectStore; to: ObjectStore; close(): Promise<void> }> {
  const from = placeOf(typed.from);
  const to = placeOf(typed.to);
  if (JSON.stringify(from) === JSON.stringify(to)) {
    throw new SluiceError('usage', { what: `${typed.from} and ${typed.to} are the same ledger.` });
  }
  if (from.kind === 'folder' && !statSync(from.path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SluiceError('usage', { what: `There is no folder ${from.path} to copy from.` });
  }
  let opened: Promise<BucketAccess> | undefined;
  const access = () => {
    opened ??= accessTo(options);
    return opened;
  };
  const stores = { from: await openStore(from, access), to: await openStore(to, access) };
  return { ...stores, close: async () => (await opened)?.cloud.close() };
}

function placeOf(text: string): LedgerPlace {
  const place = ledgerPlace(text, process.cwd());
  if (place) return place;
  throw new SluiceError('usage', { what: `'${text}' is no ledger.`, why: `A ledger is ${ledgerPhrase}.` });
}

/** A bucket that exists belongs to a project already; only to make one a project and a region are needed. */
async function accessTo(options: {
  local: boolean;
  project?: string | undefined;
  signal: AbortSignal;
}): Promise<BucketAccess> {
  const { local, signal, project = local ? 'local' : 'PROJECT' } = options;
  const cloud = await connectTo(local ? 'local' : 'google', { project, signal, waiting: new Waiting() });
  return { cloud, project, region: local ? 'us-central1' : 'REGION' };
}
