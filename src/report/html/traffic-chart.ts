import { html } from 'hono/html';
import { clock } from '../../terminal/format.ts';
import type { ServiceReport } from '../release-report.ts';
import { type Markup, text } from './markup.ts';

const width = 1000;
const height = 150;
const left = 44;
const right = 10;
const colours = 5;

/** Who had which share of the traffic, from each time it was observed to the next; the last to the release's end. */
export function trafficChart({ state }: ServiceReport, endedAt: string | null): Markup | null {
  const history = state.trafficHistory.filter(({ actual }) => actual.some(({ percent }) => percent > 0));
  const [first] = history;
  const last = history.at(-1);
  if (!first || !last) return null;
  const begin = Date.parse(first.at);
  const end = Math.max(Date.parse(endedAt ?? last.at), Date.parse(last.at), begin + 1);
  const x = (at: number): number => left + ((at - begin) / (end - begin)) * (width - left - right);
  const names = [
    ...new Set(
      history.flatMap(({ actual }) =>
        actual.filter(({ percent }) => percent > 0).map(({ revision }) => revision),
      ),
    ),
  ];
  const blocks = history.flatMap(({ at, actual }, index) => {
    const from = x(Date.parse(at));
    const to = x(Date.parse(history[index + 1]?.at ?? new Date(end).toISOString()));
    let below = 0;
    return names.flatMap((name, colour) => {
      const share = actual
        .filter(({ revision }) => revision === name)
        .reduce((sum, { percent }) => sum + percent, 0);
      const y = height - ((below + share) / 100) * height;
      below += share;
      return share === 0
        ? []
        : [
            html`<rect class="share${colour % colours}" x="${round(from)}" y="${round(y)}" width="${round(Math.max(1, to - from))}" height="${round((share / 100) * height)}"/>`,
          ];
    });
  });
  return html`<svg viewBox="0 -6 ${width} ${height + 30}" role="img" aria-label="Traffic over time">
${[0, 50, 100].map((percent) => html`<text class="soft" x="${left - 6}" y="${height - (percent / 100) * height + 4}" text-anchor="end">${percent} %</text>`)}
${blocks}
<text class="soft" x="${left}" y="${height + 18}">${clock(first.at)}</text><text class="soft" x="${width - right}" y="${height + 18}" text-anchor="end">${clock(new Date(end).toISOString())} UTC</text>
</svg>
<div class="key">${names.map((name, colour) => html`<span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="share${colour % colours}" width="10" height="10" rx="2"/></svg><code>${text(name)}</code></span>`)}</div>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
