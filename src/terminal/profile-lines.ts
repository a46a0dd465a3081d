import type { Phase, RevisionProfile, System } from '../startup/profile.ts';
import { bar, formatHundredths, formatShare, table } from './format.ts';
import { mark } from './marks.ts';
import { sanitiseLine } from './sanitise.ts';
import type { Theme } from './theme.ts';

const widestBar = 24;
const widestName = 28;
const widestDetail = 60;

/** `✔ DEPENDENCIES  ████████  14.08 s  72 %`, a line a phase. While it runs the shares are those so far. */
export function phaseLines(
  profile: Pick<RevisionProfile, 'phases' | 'totalSeconds'>,
  theme: Theme,
): string[] {
  const total = profile.totalSeconds ?? profile.phases.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  const longest = Math.max(0, ...profile.phases.map(({ seconds }) => seconds ?? 0));
  return table(
    profile.phases.map((phase) => phaseRow(phase, total, longest, theme)),
    ['left', 'left', 'left', 'right', 'right'],
  );
}

function phaseRow(phase: Phase, total: number, longest: number, theme: Theme): string[] {
  const share = phase.share ?? (phase.seconds === null || total === 0 ? null : phase.seconds / total);
  // Bars are drawn against the longest phase, so that it fills its column; the percent tells the share.
  const length = phase.seconds === null || longest === 0 ? null : phase.seconds / longest;
  return [
    `${mark(phase.outcome, theme)} ${sanitiseLine(phase.name, widestName)}`,
    theme.accent(bar(length, widestBar)),
    '',
    formatHundredths(phase.seconds),
    theme.dim(formatShare(share)),
  ];
}

/** `✔ database  healthy  postgres 15.2`, a line a system. */
export function systemLines(systems: readonly System[], theme: Theme): string[] {
  return table(
    systems.map(({ name, status, detail }) => [
      `${mark(status, theme)} ${sanitiseLine(name, widestName)}`,
      status === 'healthy' ? status : theme.warn(status),
      theme.dim(sanitiseLine(detail, widestDetail)),
    ]),
  );
}
