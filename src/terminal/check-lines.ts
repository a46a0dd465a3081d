// Without columns.ts: measuring is slow to load, and plain lines of a release do without it.
import type { ReleaseEvent } from '../release/events.ts';
import { formatMilliseconds } from './format.ts';
import { mark } from './marks.ts';
import { sanitiseLine } from './sanitise.ts';
import type { Theme } from './theme.ts';

type CheckResult = Extract<ReleaseEvent, { type: 'check.finished' }>['result'];
type Messages = NonNullable<CheckResult['messages']>;
type Components = NonNullable<CheckResult['components']>;
type Step = Messages[number]['connection'];
/** What a cell shows, its sign and colours apart, so that its width is its length. */
type Cell = { sign?: string; text: string; paint?: (text: string) => string };

const widestDetail = 36;
const mostRows = 12;
const indent = '  ';

/** What stands under a check's own line: of a websocket check that did not pass, its matrix and the components. */
export function checkDetails(
  { status, messages = [], components = [] }: CheckResult,
  theme: Theme,
): string[] {
  if (status === 'passed') return [];
  return [
    ...matrixLines(messages, theme),
    ...namesLines('missing', messages, ({ missing }) => missing),
    ...namesLines('also came', messages, ({ unexpected }) => unexpected),
    ...componentLines(components, theme),
  ].map((line) => indent + line);
}

/** type | connection | auth | processing | response */
function matrixLines(messages: Messages, theme: Theme): string[] {
  if (messages.length === 0) return [];
  const head = ['type', 'connection', 'auth', 'processing', 'response'].map((text) => heading(text, theme));
  const rows = messages
    .slice(0, mostRows)
    .map(({ type, connection, auth, processing, response }) => [
      { text: sanitiseLine(type, widestDetail) },
      ...[connection, auth, processing, response].map((step) => stepCell(step, theme)),
    ]);
  return [...aligned([head, ...rows]), ...andMore(messages.length)];
}

function stepCell(step: Step, theme: Theme): Cell {
  if (step.status === 'not-reached')
    return { sign: mark('skipped', theme), text: sanitiseLine(step.detail, widestDetail), paint: theme.dim };
  if (step.status === 'failed')
    return { sign: mark('failed', theme), text: sanitiseLine(step.detail, widestDetail), paint: theme.bad };
  return { sign: mark('passed', theme), text: step.ms === null ? '' : formatMilliseconds(step.ms) };
}

/** `missing  a, b`; with the type where the rows differ. */
function namesLines(
  label: string,
  messages: Messages,
  namesOf: (message: Messages[number]) => string[],
): string[] {
  const byNames = Map.groupBy(
    messages.filter((message) => namesOf(message).length > 0),
    (message) => namesOf(message).join(', '),
  );
  const differ = byNames.size > 1;
  return [...byNames].slice(0, mostRows).map(([names, alike]) => {
    const whose = differ ? ` of ${alike.map(({ type }) => type).join(', ')}` : '';
    return sanitiseLine(`${label}${whose}: ${names}`);
  });
}

/** component | status | code | message */
function componentLines(components: Components, theme: Theme): string[] {
  if (components.length === 0) return [];
  const head = ['component', 'status', 'code', 'message'].map((text) => heading(text, theme));
  const rows = components
    .slice(0, mostRows)
    .map(({ component, status, code, message, details }) => [
      { sign: healthSign(status, theme), text: sanitiseLine(component, widestDetail) },
      { text: sanitiseLine(status, widestDetail) },
      { text: sanitiseLine(code, widestDetail) },
      { text: sanitiseLine([message, details].filter(Boolean).join('; ')) },
    ]);
  return [...aligned([head, ...rows]), ...andMore(components.length)];
}

const healthy = /^(healthy|ok|up|available|connected|true)$/i;
const failed = /^(failed|unhealthy|down|error|unavailable|false)$/i;
const degraded = /^(degraded|warning|partial)$/i;

/** The service's own words; what they do not say is in doubt. */
function healthSign(status: string, theme: Theme): string {
  if (healthy.test(status)) return mark('healthy', theme);
  if (failed.test(status)) return mark('failed', theme);
  return mark(degraded.test(status) ? 'degraded' : 'not-reported', theme);
}

const heading = (text: string, theme: Theme): Cell => ({ text, paint: theme.dim });

function andMore(count: number): string[] {
  return count > mostRows ? [`… and ${count - mostRows} more`] : [];
}

function aligned(rows: readonly (readonly Cell[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  return rows.map((row) =>
    row
      .map((cell, column) => painted(cell) + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}

const widthOf = ({ sign, text }: Cell): number => (sign ? 2 : 0) + text.length;

function painted({ sign, text, paint = (plain) => plain }: Cell): string {
  return sign ? `${sign} ${paint(text)}` : paint(text);
}
