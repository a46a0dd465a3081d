import { type ReleaseEvent, type Stage, stages, stagesOf } from '../release/events.ts';
import { emptyRelease, fold, type ServiceState } from '../release/state.ts';
import { wordsOf } from '../report/runbook-words.ts';
import { overrideTexts } from './gate-words.ts';
import { serviceTitle, stageOutput, stageTitle } from './rows.ts';
import { sanitiseLine } from './sanitise.ts';
import type { ReleaseView } from './show-release.ts';
import { noLine, openTaskList, type Row, type TaskList } from './task-list.ts';
import { signs, type Theme } from './theme.ts';

/** What is under way in a service; passing events are shown and forgotten. */
type Under = { since: number; stage: Stage | undefined; stageSince: number; note: string; line: string };

/** How one service is shown: `show` brings its rows up to date. */
type Screen = { show(service: ServiceState, under: Under): void };

const tickMs = 1000;

/** A release as a live list. One service: a row a stage. Several: a row a service, so that it fits a screen. */
export function createTaskListView(stderr: NodeJS.WriteStream, theme: Theme): ReleaseView {
  const state = emptyRelease('');
  const underWay = new Map<string, Under>();
  const screens = new Map<string, Screen>();
  let list: TaskList | undefined;
  let tick: NodeJS.Timeout | undefined;
  /** The list shows the newest one; all are told when it has ended. */
  const notices: string[] = [];

  const tell = (text: string) => {
    stderr.write(`${theme.warn(signs.warning)} ${text}\n`);
  };

  const show = (name: string) => {
    const service = state.services.get(name);
    const under = underWay.get(name);
    if (service && under) screens.get(name)?.show(service, under);
  };

  const start = (event: Extract<ReleaseEvent, { type: 'release.started' | 'release.resumed' }>) => {
    const place = event.cloud === 'local' ? 'local cloud' : 'Google Cloud';
    const what = event.runbook === 'deploy' ? '' : `${event.runbook}: `;
    const from = event.type === 'release.started' && event.from ? ` ${event.from.environment}` : '';
    const title = `${what}${event.services.join(', ')}${from} ${signs.next} ${event.environment}`;
    stderr.write(`\n${theme.strong(title)}  ${theme.dim(place)}\n\n`);
    const [only, ...others] = event.services;
    if (only !== undefined && others.length === 0) {
      list = openTaskList(stageRows(stagesOf[event.runbook], theme), { stderr, theme, ordered: true });
      screens.set(only, stageScreen(list.rows, theme));
    } else {
      const width = Math.max(...event.services.map((name) => name.length));
      const names = event.services.map((name) => theme.dim(name));
      list = openTaskList(names, { stderr, theme, ordered: false });
      for (const [index, name] of event.services.entries()) {
        const row = list.rows[index];
        if (row) screens.set(name, serviceScreen(row, width, wordsOf(event.runbook).short, theme));
      }
    }
    tick = setInterval(() => event.services.forEach(show), tickMs);
  };

  const notice = (text: string) => {
    if (!list) return tell(text);
    list.notices.update(theme.warn(text), []);
    notices.push(text);
  };

  return {
    event(stamped) {
      const { event } = stamped;
      fold(state, stamped);
      if (event.type === 'release.started' || event.type === 'release.resumed') start(event);
      if (event.type === 'notice') notice(sanitiseLine(event.note));
      if (event.type === 'gate.judged') overrideTexts(event).forEach(notice);
      if (!('service' in event) || event.service === null) return;
      underWay.set(event.service, follow(underWay.get(event.service), event));
      show(event.service);
    },
    notice,
    async close() {
      clearInterval(tick);
      await list?.close();
      list = undefined;
      for (const text of notices.splice(0)) tell(text);
    },
  };
}

function follow(before: Under | undefined, event: ReleaseEvent): Under {
  const now = performance.now();
  const under = before ?? { since: now, stage: undefined, stageSince: now, note: '', line: '' };
  switch (event.type) {
    case 'stage.started':
      return { ...under, stage: event.stage, stageSince: now, note: '', line: '' };
    case 'progress':
      return { ...under, note: event.note };
    case 'build.log':
    case 'startup.log':
      return { ...under, line: event.line };
    default:
      return under;
  }
}

const secondsSince = (moment: number) => (performance.now() - moment) / 1000;

/** Not every release has them: they take no line until they begin. */
const uncertain: ReadonlySet<Stage> = new Set(['predeploy', 'restore']);

function stageRows(expected: readonly Stage[], theme: Theme): string[] {
  return stages.map((stage) =>
    uncertain.has(stage) || !expected.includes(stage)
      ? noLine
      : stageTitle(stage, undefined, undefined, theme),
  );
}

function stageScreen(rows: readonly Row[], theme: Theme): Screen {
  return {
    show(service, under) {
      const newest = stages.findLastIndex((stage) => service.stages[stage]);
      for (const [index, stage] of stages.entries()) {
        const row = rows[index];
        const reached = service.stages[stage];
        if (!row) continue;
        if (reached?.outcome === 'running') {
          const running = { note: under.note, seconds: secondsSince(under.stageSince) };
          row.update(
            stageTitle(stage, reached, running, theme),
            stageOutput(stage, service, under.line, theme),
          );
        } else if (reached) {
          row.settle(reached.outcome, stageTitle(stage, reached, undefined, theme));
        } else if (index < newest || service.finished) {
          row.settle('skipped', noLine);
        }
      }
    },
  };
}

function serviceScreen(row: Row, nameWidth: number, done: string, theme: Theme): Screen {
  return {
    show(service, under) {
      const seconds = secondsSince(service.finished ? under.since : under.stageSince);
      const title = serviceTitle(service, { ...under, seconds, nameWidth, done }, theme);
      switch (service.finished?.outcome) {
        case undefined:
          row.update(title, under.line ? [theme.dim(sanitiseLine(under.line))] : []);
          break;
        case 'failed':
          row.settle('failed', title);
          break;
        case 'not-started':
          row.settle('skipped', title);
          break;
        case 'deployed':
        case 'unchanged':
        case 'checked':
          row.settle('done', title);
      }
    },
  };
}
