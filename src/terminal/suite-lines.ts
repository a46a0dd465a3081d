import type { ReleaseEvent } from '../release/events.ts';
import { formatSeconds } from './format.ts';
import { mark } from './marks.ts';
import { sanitiseLine } from './sanitise.ts';
import type { Theme } from './theme.ts';

type Check = Extract<ReleaseEvent, { type: 'check.finished' }>['result'];

const most = { cases: 10, output: 8 };

/** What stands under a check that ran a program: a suite's phases and remarkable tests, the end of a failure's output. */
export function suiteLines({ phases = [], cases = [], output = [], status }: Check, theme: Theme): string[] {
  const end = status === 'passed' ? [] : output.slice(-most.output);
  return [
    ...(phases.length > 1 || status !== 'passed' ? phaseLines(phases, theme) : []),
    ...caseLines(cases, theme),
    ...end.map((line) => theme.dim(`│ ${sanitiseLine(line, 160)}`)),
  ];
}

function phaseLines(phases: NonNullable<Check['phases']>, theme: Theme): string[] {
  const width = Math.max(...phases.map(({ name }) => name.length));
  return phases.map((phase) => {
    const head = `${mark(phase.status, theme)} ${phase.name.padEnd(width)}`;
    if (phase.status === 'skipped')
      return `${head}  ${theme.dim(`${timeColumn('')}  ${sanitiseLine(phase.reason, 160)}`)}`;
    const counts = [
      `${phase.passed} passed`,
      ...(phase.failed > 0 ? [theme.bad(`${phase.failed} failed`)] : []),
      ...(phase.skipped > 0 ? [`${phase.skipped} skipped`] : []),
    ];
    return `${head}  ${theme.dim(timeColumn(formatSeconds(phase.seconds)))}  ${counts.join(', ')}`;
  });
}

/** Failed tests, and passed ones with a doubt; the time stands first, for names have any width. */
function caseLines(cases: NonNullable<Check['cases']>, theme: Theme): string[] {
  const telling = cases.filter(
    ({ status, detail }) => status === 'failed' || (status === 'passed' && detail),
  );
  const lines = telling.slice(0, most.cases).map(({ name, status, seconds, detail }) => {
    const sign = mark(status === 'failed' ? 'failed' : 'degraded', theme);
    const time = theme.dim(timeColumn(formatSeconds(seconds)));
    return `${sign} ${time}  ${sanitiseLine(name, 100)}  ${theme.dim(sanitiseLine(detail, 160))}`.trimEnd();
  });
  const more = telling.length - lines.length;
  return more > 0 ? [...lines, theme.dim(`and ${more} more`)] : lines;
}

const timeColumn = (time: string) => time.padStart(7);
