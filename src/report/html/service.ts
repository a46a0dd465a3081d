import { html } from 'hono/html';
import type { Finding } from '../../startup/profile.ts';
import type { ServiceReport } from '../release-report.ts';
import { checkEvidence, checkMatrix } from './checks.ts';
import { type Markup, part, rows, status, text } from './markup.ts';
import { trafficChart } from './traffic-chart.ts';
import { waterfall } from './waterfall.ts';

/** Everything about one service of the release. */
export function servicePart(service: ServiceReport, endedAt: string | null): Markup {
  return html`<h2>${text(service.name)} ${status(service.outcome)}</h2>
${part('What failed', failure(service))}
${part('Deployment', details(service))}
${part('Startup', waterfall(service))}
${part('Traffic over time', trafficChart(service, endedAt))}
${part('Critical systems', systems(service))}
${part('Checks', checkMatrix(service))}
${checkEvidence(service)}
${part('Findings', findings(service))}
${part('By hand, with gcloud', service.gcloud.length === 0 ? null : html`${service.gcloud.map((command) => html`<pre>${command}</pre>`)}`)}`;
}

function details({ state, revision, digest, image, url, traffic, proven }: ServiceReport): Markup {
  const { plan, build, proof } = state;
  const changes = [...(plan?.changes ?? []), ...(plan?.serviceWide ?? [])];
  const pairs: [string, Markup | string | null][] = [
    ['URL', url && html`<a href="${/^https?:/.test(url) ? url : ''}">${text(url)}</a>`],
    ['Revision', revision && html`<code>${text(revision)}</code>`],
    ['Digest', digest && html`<code>${text(digest)}</code>`],
    ['Image', image && html`<code>${text(image)}</code>`],
    ['Build', build && text(build.outcome)],
    [
      'Traffic',
      html`${text(traffic)} <span class="soft">${proven && proof ? `proven by ${proof.answers} answers in a row` : 'not proven'}</span>`,
    ],
    ['Why', plan && text(plan.because)],
  ];
  return html`<dl>${pairs.map(([name, value]) => (value ? html`<dt>${name}</dt><dd>${value}</dd>` : ''))}</dl>
${
  rows(
    ['Changed field', 'From', 'To'],
    changes.map(({ field, from, to }) => [
      html`<code>${text(field)}</code>`,
      text(from ?? '–', 160),
      text(to ?? '–', 160),
    ]),
  ) ?? ''
}`;
}

function systems({ state }: ServiceReport): Markup | null {
  return rows(
    ['System', 'Status', 'Detail'],
    (state.profile?.systems ?? []).map((system) => [
      text(system.name),
      status(system.status),
      text(system.detail),
    ]),
  );
}

function findings(service: ServiceReport): Markup[] {
  const { former } = service;
  const groups: [string, readonly Finding[]][] = [
    ['What ended the start', service.fatal],
    [former ? 'Errors new with this release' : 'Errors that did not stop the start', service.newErrors],
    ['Errors not related to the change: the release before had them too', service.knownErrors],
    ['Minor warnings', service.warnings],
  ];
  const positive =
    service.positive.length === 0
      ? []
      : [
          html`<p><strong>Positive</strong></p><ul>${service.positive.map((line) => html`<li>${text(line)}</li>`)}</ul>`,
        ];
  return [
    ...positive,
    ...groups.flatMap(([title, list]) =>
      list.length === 0 ? [] : [html`<p><strong>${title}</strong></p><ul>${list.map(finding)}</ul>`],
    ),
  ];
}

function finding({ cause, count, hint }: Finding): Markup {
  return html`<li><code>${text(cause)}</code>${count > 1 ? ` ${count} times` : ''}${hint ? html`<br><span class="soft">${text(hint)}</span>` : ''}</li>`;
}

function failure({ state }: ServiceReport): Markup | null {
  const diagnosis = state.finished?.diagnosis;
  if (!diagnosis && state.preflight.length === 0) return null;
  return html`${state.preflight.map(({ what, why }) => html`<p>${text(what)}${why ? html`<br><span class="soft">${text(why)}</span>` : ''}</p>`)}
${
  diagnosis
    ? html`<p><strong>${text(diagnosis.cause)}</strong></p>
${[diagnosis.why, diagnosis.hint].filter(Boolean).map((line) => html`<p class="soft">${text(line)}</p>`)}
${diagnosis.evidence.length > 0 ? html`<pre>${diagnosis.evidence.map((line) => text(line)).join('\n')}</pre>` : ''}
${diagnosis.notDone.length > 0 ? html`<p>Not done: ${text(diagnosis.notDone.join(', '))}</p>` : ''}
${diagnosis.next.map((line) => html`<p>→ <code>${text(line)}</code></p>`)}`
    : ''
}`;
}
