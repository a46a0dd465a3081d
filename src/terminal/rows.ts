import type { Stage } from '../release/events.ts';
import type { ServiceState, StageState } from '../release/state.ts';
import { checkDetails } from './check-lines.ts';
import { checkMark, checkText } from './check-words.ts';
import { padEnd, padStart, table } from './columns.ts';
import { formatMilliseconds, formatSeconds, stageColumns } from './format.ts';
import { mark } from './marks.ts';
import { phaseLines, systemLines } from './profile-lines.ts';
import { sanitiseLine } from './sanitise.ts';
import type { Theme } from './theme.ts';

/** `name  time   note`: the columns of a stage in the task list. */
function columns(name: string, time: string, note: string): string {
  return `${padEnd(name, stageColumns.name)}  ${padStart(time, stageColumns.time)}   ${note}`.trimEnd();
}

/** `build       6.2 s   sha256:0123…`: what a row says of a stage. */
export function stageTitle(
  stage: Stage,
  state: StageState | undefined,
  running: { note: string; seconds: number } | undefined,
  theme: Theme,
): string {
  if (!state) return theme.dim(stage);
  const note = sanitiseLine(state.note);
  switch (state.outcome) {
    case 'running':
      return columns(
        stage,
        wholeSeconds(running?.seconds, theme),
        theme.dim(sanitiseLine(running?.note ?? '')),
      );
    case 'done':
      return columns(stage, theme.dim(formatSeconds(state.seconds)), note);
    case 'skipped':
      return theme.dim(columns(stage, '', note));
    case 'failed':
      return theme.bad(columns(stage, formatSeconds(state.seconds), note));
  }
}

/** The lines under a running stage. */
export function stageOutput(stage: Stage, service: ServiceState, lastLine: string, theme: Theme): string[] {
  const line = lastLine ? [theme.dim(sanitiseLine(lastLine))] : [];
  switch (stage) {
    case 'startup': {
      const { profile } = service;
      if (!profile) return line;
      return [...phaseLines(profile.phases, theme), ...systemLines(profile.systems, theme), ...line];
    }
    case 'predeploy':
      return checkLines(service, 'predeploy', theme);
    case 'checks':
      return checkLines(service, 'candidate', theme);
    case 'checklist':
      return checkLines(service, 'post', theme);
    default:
      return line;
  }
}

function checkLines(
  service: ServiceState,
  stage: ServiceState['checks'][number]['stage'],
  theme: Theme,
): string[] {
  const done = service.checks.filter((check) => check.stage === stage);
  const finished = done.map((check) => [
    `${checkMark(check, theme)} ${check.id}`,
    theme.dim(formatMilliseconds(check.durationMs)),
    checkText(check),
  ]);
  const running = service.running.map((id) => [`${mark('running', theme)} ${id}`, '', '']);
  const lines = table([...finished, ...running], ['left', 'right', 'left']);
  return lines.flatMap((line, index) => [line, ...detailsOf(done[index], theme)]);
}

function detailsOf(check: ServiceState['checks'][number] | undefined, theme: Theme): string[] {
  return check ? checkDetails(check, theme) : [];
}

/** With several services a row tells where each one is: `chat  startup  3 s  waiting for DATABASE`. */
export function serviceTitle(
  service: ServiceState,
  now: { stage: Stage | undefined; note: string; seconds: number; nameWidth: number; done: string },
  theme: Theme,
): string {
  const plainName = padEnd(service.service, now.nameWidth);
  const name = theme.strong(plainName);
  const { finished } = service;
  if (!finished) {
    if (!now.stage) return theme.dim(plainName);
    const time = wholeSeconds(now.seconds, theme);
    return `${name}  ${columns(now.stage, time, theme.dim(sanitiseLine(now.note)))}`;
  }
  const time = formatSeconds(now.seconds);
  switch (finished.outcome) {
    case 'deployed':
      return `${name}  ${columns(now.done, theme.dim(time), service.revision ?? '')}`;
    case 'unchanged':
      return `${name}  ${columns('unchanged', theme.dim(time), 'nothing was changed')}`;
    case 'checked':
      return `${name}  ${columns('checked', theme.dim(time), `${service.checks.length} checks`)}`;
    case 'failed': {
      const cause = sanitiseLine(finished.diagnosis?.cause ?? finished.reason);
      return `${name}  ${theme.bad(columns(failedStage(service), time, cause))}`;
    }
    case 'not-started':
      return theme.dim(`${plainName}  not started`);
  }
}

function failedStage(service: ServiceState): string {
  const failed = Object.entries(service.stages).find(([, state]) => state.outcome === 'failed');
  return failed?.[0] ?? 'failed';
}

function wholeSeconds(seconds: number | undefined, theme: Theme): string {
  return seconds === undefined ? '' : theme.dim(`${Math.floor(seconds)} s`);
}
