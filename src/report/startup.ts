import type { Finding, RevisionProfile, StartupReport } from '../startup/profile.ts';
import { formatSeconds } from '../terminal/format.ts';
import { mark } from '../terminal/marks.ts';
import { phaseLines, systemLines } from '../terminal/profile-lines.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';
import { field } from './layout.ts';

/** A startup report for a person: the root cause first, what did not stop the start apart. */
export function startupLines(report: StartupReport, theme: Theme): string[] {
  if (report.revisions.length === 0) return ['no revision is named in these log entries'];
  return report.revisions.flatMap((profile, index) => [
    ...(index > 0 ? [''] : []),
    ...revisionLines(profile, theme),
  ]);
}

function revisionLines(profile: RevisionProfile, theme: Theme): string[] {
  const { rootCause } = profile;
  const others = profile.findings.filter((finding) => !isSame(finding, rootCause));
  const stopping = others.filter(({ severity }) => severity === 'fatal');
  const passing = others.filter(({ severity }) => severity !== 'fatal');
  return [
    headline(profile, theme),
    ...field('cause', rootCause ? rootCauseLines(rootCause, theme) : [], theme),
    ...field('phases', phaseLines(profile.phases, theme), theme),
    ...field('systems', systemLines(profile.systems, theme), theme),
    ...group('stopped the start', stopping, theme.bad, theme),
    ...group('did not stop the start', passing, theme.warn, theme),
  ];
}

function headline(profile: RevisionProfile, theme: Theme): string {
  const total = profile.totalSeconds === null ? '' : ` in ${formatSeconds(profile.totalSeconds)}`;
  const name = theme.strong(sanitiseLine(profile.revision || profile.service) || '(unnamed)');
  switch (profile.outcome) {
    case 'started':
      return `${mark('done', theme)} ${name} started${total}`;
    case 'failed':
      return `${mark('failed', theme)} ${name} ${theme.bad('failed to start')}`;
    case 'crash-loop':
      return `${mark('failed', theme)} ${name} ${theme.bad('crashes again and again')}`;
    case 'unknown':
      return `${mark('pending', theme)} ${name}: the log does not tell whether it started`;
  }
}

function group(
  title: string,
  findings: readonly Finding[],
  paint: (text: string) => string,
  theme: Theme,
): string[] {
  if (findings.length === 0) return [];
  return [`  ${theme.dim(title)}`, ...findings.map((finding) => `    ${causeLine(finding, paint, theme)}`)];
}

/** Only the root cause says what to do: mending it mends what followed from it. */
function rootCauseLines(finding: Finding, theme: Theme): string[] {
  return [
    causeLine(finding, theme.bad, theme),
    ...(finding.hint ? [`${theme.accent(signs.next)} ${sanitiseLine(finding.hint)}`] : []),
  ];
}

function causeLine({ cause, count }: Finding, paint: (text: string) => string, theme: Theme): string {
  return `${paint(sanitiseLine(cause))}${count > 1 ? theme.dim(`  ${count} times`) : ''}`;
}

/** The root cause is told at the head, so it is not told again. */
function isSame(finding: Finding, rootCause: Finding | null): boolean {
  return finding.cause === rootCause?.cause && finding.category === rootCause.category;
}
