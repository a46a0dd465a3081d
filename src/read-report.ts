import { SluiceError } from './errors.ts';
import { formerStarts } from './ledger/former-start.ts';
import type { Ledger } from './ledger/ledger.ts';
import { foldAll } from './release/state.ts';
import { type ReleaseReport, reportOf } from './report/release-report.ts';

/** `typed`: a further command with this one's flags. Reads a release, by default the newest, and the starts before it, and folds them. */
export async function readReport(
  ledger: Ledger,
  which: { release?: string | undefined; environment?: string | undefined },
  typed: (words: string) => string,
): Promise<ReleaseReport> {
  const id = which.release ?? (await newest(ledger, which.environment, typed));
  const record = await ledger.read(id);
  if (!record) {
    throw new SluiceError('usage', {
      what: `There is no release ${id} in this ledger.`,
      next: [`${typed('history ENV')}   (lists the releases of an environment)`],
    });
  }
  const state = foldAll(id, record.events);
  const damage = record.problems
    .filter(({ kind }) => kind === 'damaged')
    .map(({ segment, line, why }) => `${segment}, line ${line}: ${why}`);
  return reportOf(state, await formerStarts(ledger, state), damage);
}

async function newest(
  ledger: Ledger,
  environment: string | undefined,
  typed: (words: string) => string,
): Promise<string> {
  const [release] = await ledger.releases({ ...(environment ? { environment } : {}), limit: 1 });
  if (release) return release.id;
  throw new SluiceError('usage', {
    what: `There is no release${environment ? ` of ${environment}` : ''} to report on yet.`,
    next: [typed(`deploy ${environment ?? 'ENV'}`)],
  });
}
