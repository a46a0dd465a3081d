import { html } from 'hono/html';
import type { CheckResult } from '../../checks/result.ts';
import { formatMilliseconds, formatSeconds } from '../../terminal/format.ts';
import type { ServiceReport } from '../release-report.ts';
import { type Markup, part, rows, status, text } from './markup.ts';

const stages = ['predeploy', 'candidate', 'post'] as const;

/** A row a check, a column a stage; under it what some kinds bring beside. */
export function checkMatrix({ checks }: ServiceReport): Markup | null {
  if (checks.length === 0) return null;
  const used = stages.filter((stage) => checks.some((check) => check.stage === stage));
  const ids = [...new Set(checks.map(({ id }) => id))];
  const cells = ids.map((id) => {
    const own = checks.filter((check) => check.id === id);
    return [
      html`<code>${text(id)}</code> <span class="soft">${own[0]?.kind ?? ''}</span>`,
      ...used
        .map((stage) => own.filter((check) => check.stage === stage).map(outcome))
        .map((found) => html`${found}`),
    ];
  });
  return html`${rows(['Check', ...used], cells) ?? ''}`;
}

function outcome(check: CheckResult): Markup {
  const also = [
    check.required ? '' : 'advisory',
    check.expectedToFail
      ? `known failure until ${check.expectedToFail.until}: ${check.expectedToFail.reason}`
      : '',
  ].filter(Boolean);
  return html`<div>${status(check.status)} <span class="soft">${formatMilliseconds(check.durationMs)}${also.map((word) => `, ${text(word)}`)}</span><br>${text(check.reason)}</div>`;
}

/** The tables of websocket checks and suites. */
export function checkEvidence({ checks }: ServiceReport): (Markup | '')[] {
  return checks.flatMap((check) => [
    part(`${check.id}, ${check.stage}: messages`, messagesOf(check)),
    part(`${check.id}, ${check.stage}: components`, componentsOf(check)),
    part(`${check.id}, ${check.stage}: phases`, phasesOf(check)),
    part(`${check.id}, ${check.stage}: tests`, testsOf(check)),
  ]);
}

function messagesOf({ messages = [] }: CheckResult): Markup | null {
  const step = ({
    status: word,
    ms,
    detail,
  }: {
    status: string;
    ms: number | null;
    detail: string;
  }): Markup =>
    html`${status(word)}${ms === null ? '' : html` <span class="soft">${formatMilliseconds(ms)}</span>`}${detail ? html`<br><span class="soft">${text(detail, 200)}</span>` : ''}`;
  const names = (list: readonly string[]): string => list.map((name) => text(name, 80)).join(', ') || '–';
  return rows(
    ['Message', 'Connection', 'Auth', 'Processing', 'Response', 'Missing events', 'Unexpected'],
    messages.map((one) => [
      html`<code>${text(one.type)}</code>`,
      ...[one.connection, one.auth, one.processing, one.response].map(step),
      names(one.missing),
      names(one.unexpected),
    ]),
  );
}

function componentsOf({ components = [] }: CheckResult): Markup | null {
  return rows(
    ['Code', 'Component', 'Status', 'Message', 'Details'],
    components.map((one) =>
      [one.code, one.component, one.status, one.message, one.details].map((cell) => text(cell)),
    ),
  );
}

function phasesOf({ phases = [] }: CheckResult): Markup | null {
  return rows(
    ['Phase', 'Outcome', 'Passed', 'Failed', 'Skipped', 'Time', 'What was seen'],
    phases.map((one) => [
      html`<code>${text(one.name)}</code>`,
      status(one.status),
      ...[one.passed, one.failed, one.skipped].map(String),
      one.status === 'skipped' ? '–' : formatSeconds(one.seconds),
      text(one.reason),
    ]),
  );
}

function testsOf({ cases = [] }: CheckResult): Markup | null {
  return rows(
    ['Test', 'Phase', 'Outcome', 'Time', 'Detail'],
    cases.map((one) => [
      html`<code>${text(one.name)}</code>`,
      text(one.phase),
      status(one.status),
      formatSeconds(one.seconds),
      text(one.detail),
    ]),
  );
}
