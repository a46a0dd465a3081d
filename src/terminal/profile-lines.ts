import type { Phase, System } from '../startup/profile.ts';
import { table } from './columns.ts';
import { bar, formatShare, formatThousandths } from './format.ts';
import { mark } from './marks.ts';
import { sanitiseLine } from './sanitise.ts';
import type { Theme } from './theme.ts';

const widestBar = 24;
const widestName = 28;
const widestDetail = 60;

/** `✔ DEPENDENCIES  ████████  14.08 s  72 %`, a line a phase; no share before the total is known. */
export function phaseLines(phases: readonly Phase[], theme: Theme): string[] {
  const longest = Math.max(0, ...phases.map(({ seconds }) => seconds ?? 0));
  return table(
    phases.map((phase) => phaseRow(phase, longest, theme)),
    ['left', 'left', 'left', 'right', 'right'],
  );
}

function phaseRow(phase: Phase, longest: number, theme: Theme): string[] {
  // Bars are drawn against the longest phase, so that it fills its column; the percent tells the share.
  const length = phase.seconds === null || longest === 0 ? null : phase.seconds / longest;
  return [
    `${mark(phase.outcome, theme)} ${sanitiseLine(phase.name, widestName)}`,
    theme.accent(bar(length, widestBar)),
    '',
    formatThousandths(phase.seconds),
    theme.dim(formatShare(phase.share)),
  ];
}

/** `✔ database  healthy  postgres 15.2`, a line a system; what never reported shares one. */
export function systemLines(systems: readonly System[], theme: Theme): string[] {
  const silent = systems.filter(({ status }) => status === 'not-reported').map(({ name }) => name);
  const reported = table(
    systems
      .filter(({ status }) => status !== 'not-reported')
      .map(({ name, status, detail }) => [
        `${mark(status, theme)} ${sanitiseLine(name, widestName)}`,
        status === 'healthy' ? status : theme.warn(status),
        theme.dim(sanitiseLine(detail, widestDetail)),
      ]),
  );
  if (silent.length === 0) return reported;
  return [...reported, `${mark('not-reported', theme)} not reported: ${sanitiseLine(silent.join(', '))}`];
}
