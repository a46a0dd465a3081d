import { html } from 'hono/html';
import { formatShare, formatThousandths } from '../../terminal/format.ts';
import type { ServiceReport } from '../release-report.ts';
import { type Markup, text } from './markup.ts';

const width = 1000;
const left = 190;
const right = 170;
const rowHeight = 34;
const top = 8;

/**
 * The phases of a start, one below the other where the one before ended: logs tell how long a phase took, not when
 * it began. Beneath each bar, thin, what it took in the release before.
 */
export function waterfall({ phases, former, state }: ServiceReport): Markup | null {
  const timed = phases.filter(({ seconds }) => seconds !== null);
  if (timed.length === 0) return null;
  const span = Math.max(
    ...phases.map((phase) => phase.startsAt + Math.max(phase.seconds ?? 0, phase.formerSeconds ?? 0)),
    0.001,
  );
  const x = (seconds: number): number => round(left + (seconds / span) * (width - left - right));
  const wide = (seconds: number): number => Math.max(2, round((seconds / span) * (width - left - right)));
  const height = top + phases.length * rowHeight + 24;
  const total = state.profile?.totalSeconds ?? null;
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Startup phases, in all ${formatThousandths(total)}">
${ticks(span).map((at) => html`<line class="grid" x1="${x(at)}" x2="${x(at)}" y1="${top}" y2="${height - 20}"/><text class="soft" x="${x(at)}" y="${height - 4}" text-anchor="middle">${at === 0 ? '0' : `${at} s`}</text>`)}
${phases.map((phase, index) => {
  const y = top + index * rowHeight;
  const end = x(phase.startsAt) + wide(Math.max(phase.seconds ?? 0, phase.formerSeconds ?? 0));
  return html`<text x="${left - 10}" y="${y + 18}" text-anchor="end">${text(phase.name, 24)}</text>
${phase.seconds === null ? '' : html`<rect class="bar ${phase.outcome}" x="${x(phase.startsAt)}" y="${y + 5}" width="${wide(phase.seconds)}" height="15" rx="2"/>`}
${phase.formerSeconds === null ? '' : html`<rect class="before" x="${x(phase.startsAt)}" y="${y + 22}" width="${wide(phase.formerSeconds)}" height="4" rx="2"/>`}
<text x="${end + 8}" y="${y + 18}">${phase.seconds === null ? phase.outcome : formatThousandths(phase.seconds)}<tspan class="soft" dx="8">${formatShare(phase.share)}</tspan></text>`;
})}
</svg>
<p class="soft">${former ? html`The thin bar is the release before, <code>${text(former.release)}</code>: ${formatThousandths(former.profile.totalSeconds)} in all, now ${formatThousandths(total)}.` : 'No earlier start of this service is recorded to compare with.'}</p>`;
}

/** At most six round numbers of seconds, the first 0. */
export function ticks(span: number): number[] {
  const rough = span / 5;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((size) => size >= rough) ?? rough;
  const count = Math.floor(span / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, n) => Number((n * step).toPrecision(6)));
}

const round = (value: number): number => Math.round(value * 10) / 10;
