import type { HistoryRow } from '../release/history.ts';
import { table } from '../terminal/columns.ts';
import { shortDigest } from '../terminal/format.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';

/** The revision table for a person. `resume`: the command that goes on with a release, by its id. */
export function historyLines(
  rows: readonly HistoryRow[],
  about: { environment: string; cloud: 'google' | 'local'; resume: (release: string) => string },
  theme: Theme,
): string[] {
  const { environment, cloud } = about;
  if (rows.length === 0) {
    return cloud === 'local'
      ? [`no release of ${environment} on the local cloud is recorded`]
      : [`no release of ${environment} is recorded; --local shows those on the local cloud`];
  }
  const several = new Set(rows.map(({ service }) => service)).size > 1;
  const heads = table([
    ['  ', 'when (UTC)', ...(several ? ['service'] : []), 'revision', 'digest', 'changes'].map(theme.dim),
    ...rows.map((row) => headCells(row, several, theme)),
  ]);
  const [title = '', ...lines] = heads;
  return [
    title,
    ...rows.flatMap((row, index) => [
      lines[index] ?? '',
      ...detailLines(row, about.resume, theme).map((line) => `    ${line}`),
    ]),
    ...(rows.some(({ serving }) => serving)
      ? [theme.dim(`${servingSign} serves, as the newest record saw it; \`sluice status\` asks the cloud`)]
      : []),
  ];
}

const servingSign = '●';
const shownChanges = 4;

function headCells(row: HistoryRow, several: boolean, theme: Theme): string[] {
  const revision = row.revision ?? '–';
  return [
    `${row.serving ? theme.accent(servingSign) : ' '} ${outcomeMark(row, theme)}`,
    row.started ? `${row.started.slice(0, 10)} ${row.started.slice(11, 16)}` : '–',
    ...(several ? [row.service] : []),
    row.serving ? theme.strong(revision) : revision,
    theme.dim(row.digest ? shortDigest(row.digest) : '–'),
    changesText(row, theme),
  ];
}

function outcomeMark({ outcome }: HistoryRow, theme: Theme): string {
  if (outcome === 'deployed') return mark('done', theme);
  if (outcome === 'unfinished') return mark('pending', theme);
  return mark(outcome === 'unchanged' ? 'skipped' : 'failed', theme);
}

function changesText({ changes, outcome, from, reason }: HistoryRow, theme: Theme): string {
  const shown = changes.slice(0, shownChanges).map((field) => sanitiseLine(field, 60));
  const more = changes.length > shownChanges ? [`${changes.length - shownChanges} more`] : [];
  const text = [...shown, ...more].join(', ');
  const origin = from ? theme.dim(`from ${from.environment}`) : '';
  const none = outcome === 'unchanged' ? theme.dim('nothing changed') : '';
  return [text || none, origin, sanitiseLine(reason, 120)].filter(Boolean).join('  ');
}

function detailLines(row: HistoryRow, resume: (release: string) => string, theme: Theme): string[] {
  const commit = row.commit ? `, commit ${row.commit.slice(0, 7)}${row.dirty ? ' with changes' : ''}` : '';
  const who = row.who ? ` by ${sanitiseLine(row.who, 100)}` : '';
  const doubt = (text: string) => `${theme.warn(signs.warning)} ${text}`;
  return [
    theme.dim(`${row.runbook ?? 'release'} ${row.release}${who}${commit}`),
    ...endLines(row, resume, theme),
    ...row.overrides.map(({ condition, why, who: by }) =>
      doubt(`${condition} was set aside by ${sanitiseLine(by, 100)}: ${sanitiseLine(why, 300)}`),
    ),
    ...(row.evidence === 'damaged' ? [theme.bad(`${signs.failed} the record has been damaged`)] : []),
    ...(row.evidence === 'not-chained'
      ? [theme.dim('the record has no digest chain: a change by hand would not show')]
      : []),
  ];
}

function endLines(row: HistoryRow, resume: (release: string) => string, theme: Theme): string[] {
  const { outcome, cause, rolledBack, exitCode } = row;
  if (outcome === 'unfinished') return [theme.warn(`not finished ${signs.next} ${resume(row.release)}`)];
  if (outcome !== 'failed' && outcome !== 'not-started') return [];
  const words = outcome === 'failed' ? (rolledBack ? 'failed, rolled back' : 'failed') : 'not started';
  const code = exitCode ? theme.dim(` (exit code ${exitCode})`) : '';
  return [`${theme.bad(words)}${code}${cause ? `: ${sanitiseLine(cause, 300)}` : ''}`];
}
