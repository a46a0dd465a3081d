import { html, raw } from 'hono/html';
import type { Verdict } from '../../gate/verdict.ts';
import { formatSeconds } from '../../terminal/format.ts';
import { durationOf, type ReleaseReport } from '../release-report.ts';
import { recommendationOf, riskOf, standingOf, statusOf } from '../standing.ts';
import { type Markup, part, rows, status, text } from './markup.ts';
import { servicePart } from './service.ts';
import { style } from './style.ts';

/** One self-contained page: no script, nothing from the network, and a policy that says so to the browser too. */
export async function htmlReport(report: ReleaseReport): Promise<string> {
  const { started, finished } = report.state;
  const title = `${started?.runbook ?? 'release'} to ${started?.environment ?? '?'}: ${report.services.map(({ name }) => name).join(', ')}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${text(title)}</title>
<style>${raw(style)}</style>
</head>
<body><main>
${head(report, title)}
${part('The record was changed after it was written', damage(report))}
${report.services.map((service) => servicePart(service, finished?.at ?? null))}
<h2>Verdict</h2>
${part('Overrides', overrides(report))}
${part('The gate, before anything was written', conditions(report.state.gate?.verdict))}
${part('Conditions', conditions(finished?.verdict))}
${part('Risk', risk(report))}
${part('Commits deployed', commits(report))}
<footer>Folded from the events of release <code>${text(report.state.id)}</code> by Sluice ${text(started?.sluice ?? '')}. Nothing stands here that was not measured.</footer>
</main></body>
</html>
`;
  return String(await page);
}

function head(report: ReleaseReport, title: string): Markup {
  const { started, finished } = report.state;
  const { text: recommendation, next } = recommendationOf(report);
  const seconds = durationOf(report.state);
  const commit = started?.commit
    ? `${started.commit.slice(0, 12)}${started.dirty ? ' + uncommitted changes' : ''}`
    : '';
  const pairs: [string, string][] = [
    ['Release', report.state.id],
    ['Cloud', started?.cloud === 'local' ? 'local cloud' : 'Google Cloud'],
    ['By', [started?.who, started?.account].filter(Boolean).join(' / ')],
    ['Commit', commit],
    ['Started', started?.at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC') ?? ''],
    ['Took', seconds === null ? '' : formatSeconds(seconds)],
    ['From', started?.from ? `${started.from.environment}, ${started.from.releases.join(', ')}` : ''],
    ['Exit code', finished ? String(finished.exitCode) : ''],
    ['Reason', started?.reason ?? ''],
    ['Command', started?.command ?? ''],
  ];
  return html`<header class="${standingOf(report)}"><h1>${text(title)}</h1>
<p class="standing">${statusOf(report)}</p>
<p>${recommendation}</p>
${next.map((command) => html`<p>→ <code>${text(command)}</code></p>`)}
<dl>${pairs.map(([name, value]) => (value ? html`<dt>${name}</dt><dd class="mono">${text(value)}</dd>` : ''))}</dl>
</header>`;
}

/** Whatever the rest says, it says it of a record that somebody edited. */
function damage({ damage: problems }: ReleaseReport): Markup | null {
  return problems.length === 0
    ? null
    : html`<ul>${problems.map((problem) => html`<li>${text(problem)}</li>`)}</ul>`;
}

function conditions(verdict: Verdict | undefined): Markup | null {
  return rows(
    ['Condition', 'Met', 'Why'],
    (verdict?.conditions ?? []).map(({ id, met, reason, remedy }) => [
      html`<code>${text(id)}</code>`,
      status(met ? 'met' : 'not met'),
      html`${text(reason)}${!met && remedy ? html`<br>→ <code>${text(remedy)}</code>` : ''}`,
    ]),
  );
}

function risk(report: ReleaseReport): Markup | null {
  const found = riskOf(report);
  return (
    found &&
    html`<p><strong>${found.level}</strong></p><ul>${found.reasons.map((reason) => html`<li>${text(reason)}</li>`)}</ul>`
  );
}

function overrides({ state }: ReleaseReport): Markup | null {
  return rows(
    ['Condition', 'By', 'Why'],
    (state.gate?.overrides ?? []).map(({ condition, who, why }) => [
      html`<code>${text(condition)}</code>`,
      text(who),
      text(why),
    ]),
  );
}

function commits({ state }: ReleaseReport): Markup | null {
  return rows(
    ['Commit', 'Subject'],
    state.commits.map(({ id, subject }) => [html`<code>${text(id.slice(0, 12))}</code>`, text(subject)]),
  );
}
