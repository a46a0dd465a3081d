import type { ReleaseEvent, Stamped } from '../release/events.ts';
import { wordsOf } from '../report/runbook-words.ts';
import { checkDetails } from './check-lines.ts';
import { checkMark, checkText } from './check-words.ts';
import { clock, formatMilliseconds, formatSeconds, stageColumns } from './format.ts';
import { gateNews } from './gate-words.ts';
import { mark } from './marks.ts';
import { sanitiseLine } from './sanitise.ts';
import { signs, type Theme } from './theme.ts';

/**
 * Events as plain lines for a log: a time, the service when there are several, what happened. Each fact is
 * said once, also when its event comes again with other figures.
 */
export function createPlainView(theme: Theme): { lines(stamped: Stamped): string[] } {
  const said = new Set<string>();
  let nameWidth = 0;
  let words = wordsOf(undefined);

  return {
    lines({ event, at }) {
      if ('runbook' in event) words = wordsOf(event.runbook);
      if ('services' in event && event.services.length > 1) {
        nameWidth = Math.max(...event.services.map((name) => name.length));
      }
      const name = 'service' in event && event.service !== null ? event.service : '';
      const fresh = describe(event, theme, words).filter((text) => {
        const key = `${name}\0${text}`;
        return !said.has(key) && said.add(key);
      });
      const service = nameWidth > 0 && name ? `${name.padEnd(nameWidth)}  ` : '';
      return fresh.map((text) => `${theme.dim(clock(at))}  ${service}${text}`);
    },
  };
}

function describe(event: ReleaseEvent, theme: Theme, words: ReturnType<typeof wordsOf>): string[] {
  switch (event.type) {
    case 'release.started':
    case 'release.resumed': {
      const verb = event.type === 'release.resumed' ? 'resume' : event.runbook;
      const place = event.cloud === 'local' ? 'the local cloud' : 'Google Cloud';
      const from = event.type === 'release.started' ? event.from?.environment : undefined;
      const road = from ? `${from} ${signs.next} ` : '';
      return [theme.strong(`${verb} ${road}${event.environment} on ${place}: ${event.services.join(', ')}`)];
    }
    case 'gate.judged':
      return gateNews(event, theme);
    case 'plan.made':
      return [
        `${theme.dim(signs.waiting)} plan: ${event.plan.action}, ${sanitiseLine(event.plan.because)}`,
        ...details(event, theme).map(indent),
      ];
    case 'stage.started':
      return awaited.has(event.stage) ? [theme.dim(`${signs.waiting} ${event.stage} …`)] : [];
    case 'stage.finished':
      return [stageLine(event, theme)];
    case 'service.finished':
      return [theme.strong(event.outcome === 'deployed' ? words.short : outcomes[event.outcome])];
    case 'notice':
      return [`${theme.warn(signs.warning)} ${sanitiseLine(event.note)}`];
    default:
      return details(event, theme).map(indent);
  }
}

const indent = (text: string) => `    ${text}`;

/** Of an image named by digest the digest tells all that differs. */
const told = (value: string | null) =>
  value?.replace(/^[^\s@]+@(sha256:[0-9a-f]{12})[0-9a-f]{52}$/, '$1') ?? '(none)';

/** What belongs under a stage. */
function details(event: ReleaseEvent, theme: Theme): string[] {
  switch (event.type) {
    case 'plan.made':
      if (event.plan.action === 'create') return [];
      return event.plan.changes.map(({ field, from, to }) =>
        sanitiseLine(`${field}: ${told(from)} ${signs.next} ${told(to)}`, 160),
      );
    case 'preflight.failed':
      return event.problems.flatMap(({ what, why, next = [] }) => [
        `${mark('failed', theme)} ${sanitiseLine(what)}`,
        ...[...(why ? [why] : []), ...next.map((line) => `${signs.next} ${line}`)].map(
          (line) => `  ${sanitiseLine(line)}`,
        ),
      ]);
    case 'build.started':
      return event.logUrl ? [`log: ${sanitiseLine(event.logUrl)}`] : [];
    case 'build.finished':
      return event.outcome === 'failed' ? event.tail.slice(-tailLines).map((line) => sanitiseLine(line)) : [];
    case 'startup.phase': {
      const { name, seconds, outcome } = event.phase;
      if (outcome === 'incomplete') return [];
      return [
        `${mark(outcome, theme)} ${sanitiseLine(name)}  ${seconds === null ? outcome : formatSeconds(seconds)}`,
      ];
    }
    case 'startup.system': {
      const { name, status, detail } = event.system;
      if (status === 'not-reported') return [];
      return [
        `${mark(status, theme)} ${sanitiseLine(name)} ${status}  ${sanitiseLine(detail, 120)}`.trimEnd(),
      ];
    }
    case 'startup.finding':
      if (event.finding.severity === 'warning') return [];
      return [`${mark('failed', theme)} ${sanitiseLine(event.finding.cause)}`];
    case 'check.finished': {
      const { id, durationMs, next } = event.result;
      const text = checkText(event.result);
      return [
        `${checkMark(event.result, theme)} ${id}  ${formatMilliseconds(durationMs)}  ${text}`,
        ...(next === undefined ? [] : [`  ${signs.next} ${sanitiseLine(next)}`]),
        ...checkDetails(event.result, theme),
      ];
    }
    case 'traffic.observed': {
      if (!event.settled) return [];
      const serving = event.actual.filter(({ percent }) => percent > 0);
      const { step } = event;
      const which = step && step.of > 1 ? `step ${step.number} of ${step.of}, ` : '';
      return [
        `${which}traffic: ${serving.map(({ percent, revision }) => `${percent} % ${revision}`).join(', ')}`,
      ];
    }
    case 'answer.proven': {
      const { from } = event;
      if (!from) return [`${event.revision} gave ${event.answers} answers in a row`];
      const shares = from.map(({ revision, answers }) => `${answers} from ${revision}`).join(', ');
      return [`${event.answers} answers in a row came from the split: ${shares}`];
    }
    case 'rollback.chosen':
      return [
        ...(event.skipped.length > 0 ? [theme.warn(`skipped: ${event.skipped.join(', ')}`)] : []),
        ...event.acceptedRisks.map((schema) =>
          theme.warn(sanitiseLine(`schema risk accepted: ${schema.version} ${schema.note ?? ''}`)),
        ),
      ];
    case 'hold.placed':
      return [theme.warn('held until `sluice unpin`')];
    case 'hold.lifted':
      return [sanitiseLine(`the hold is lifted: ${event.hold.reason}`)];
    default:
      return [];
  }
}

function stageLine(event: Extract<ReleaseEvent, { type: 'stage.finished' }>, theme: Theme): string {
  const name = event.stage.padEnd(stageColumns.name);
  const time = formatSeconds(event.seconds).padStart(stageColumns.time);
  const words = `${name}  ${time}   ${sanitiseLine(event.note)}`.trimEnd();
  return `${mark(event.outcome, theme)} ${event.outcome === 'failed' ? theme.bad(words) : words}`;
}

/** Stages that take long enough for a reader to wonder. */
const awaited: ReadonlySet<string> = new Set([
  'predeploy',
  'build',
  'warm',
  'startup',
  'checks',
  'traffic',
  'restore',
]);

const tailLines = 20;

const outcomes = {
  unchanged: 'unchanged',
  checked: 'checked',
  failed: 'failed',
  'not-started': 'not started',
} as const;
