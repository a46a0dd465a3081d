import { relative, resolve } from 'node:path';
import type { Config } from './load.ts';
import { asValues, valueAt } from './merge.ts';
import { locate } from './origin.ts';
import { fill } from './placeholders.ts';
import { ConfigError } from './problem.ts';
import { ledgerPattern, ledgerPhrase } from './schema/ledger.ts';

/** Where a ledger lies: a folder of this machine (absolute), or a bucket that a team and its CI share. */
export type LedgerPlace =
  | { kind: 'folder'; path: string }
  | { kind: 'bucket'; bucket: string; prefix: string };

const path = ['ledger'];
const beside = '.sluice/ledger';

/** Where sluice.yaml says that the ledger lies. Throws `ConfigError`. */
export function resolveLedger({ source, root, variables }: Config): LedgerPlace {
  const typed = asValues(source.value)['ledger'] ?? beside;
  const { value, unfilled } = fill(typed, {}, variables);
  const [gap] = unfilled;
  if (gap) throw new ConfigError([locate(source, { path, part: 'value', message: gap.message })]);
  const place = typeof value === 'string' ? ledgerPlace(value, root) : undefined;
  if (place && !sourceThatHolds(place, source.value, root)) return place;
  const fault = place
    ? { message: 'the ledger would be uploaded with the source', allowed: `${beside}, or a place outside` }
    : { message: 'wrong value', allowed: ledgerPhrase };
  // What a variable was filled with is not shown.
  throw new ConfigError([locate(source, { path, part: 'value', found: JSON.stringify(typed), ...fault })]);
}

/** `gs://bucket/prefix`, or a folder relative to `root`; undefined when it is neither. */
export function ledgerPlace(text: string, root: string): LedgerPlace | undefined {
  if (!ledgerPattern.test(text)) return undefined;
  const [, bucket, prefix = ''] = /^gs:\/\/([^/]+)\/?(.*)$/.exec(text) ?? [];
  return bucket === undefined
    ? { kind: 'folder', path: resolve(root, text) }
    : { kind: 'bucket', bucket, prefix: prefix.replace(/\/$/, '') };
}

/** Records that are part of the source would make every release a change of it; `.sluice/` is never uploaded. */
function sourceThatHolds(place: LedgerPlace, file: unknown, root: string): string | undefined {
  if (place.kind === 'bucket') return undefined;
  const services = Object.values(asValues(valueAt(file, ['services'])));
  const sources = services.map((service) => resolve(root, String(asValues(service)['source'] ?? '.')));
  return sources.find((folder) => {
    const inside = relative(folder, place.path).split(/[\\/]/);
    return inside[0] !== '..' && !inside.includes('.sluice');
  });
}
