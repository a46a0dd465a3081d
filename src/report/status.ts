import type { Condition, TrafficTarget } from '../cloud/ports/run.ts';
import { describeHold } from '../plan/hold.ts';
import type { RecordedStatus } from '../release/recorded-status.ts';
import type { ServiceStatus } from '../release/status.ts';
import { table } from '../terminal/columns.ts';
import { shortDigest } from '../terminal/format.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';
import { retyped } from '../typed.ts';
import { field } from './layout.ts';

type StatusView = ServiceStatus & { recorded: RecordedStatus };

/** Status for a person: what is unusual first. `deploy`: the command to type, `sluice deploy staging --local`. */
export function statusLines(view: StatusView, deploy: string, theme: Theme): string[] {
  const name = theme.strong(`${view.service} in ${view.environment}`);
  const { live } = view;
  if (!live) {
    const next = `${theme.accent(signs.next)} ${deploy}`;
    return [
      `${mark('skipped', theme)} ${name} does not exist yet`,
      ...openLines(view.recorded, theme),
      ...(view.recorded.lock ? [] : [next]),
    ];
  }
  const unusual = unusualLines(view, live, deploy, theme);
  return [
    `${mark(unusual.length + view.recorded.open.length === 0 ? 'done' : 'pending', theme)} ${name}`,
    ...unusual.map((line) => `  ${line}`),
    ...openLines(view.recorded, theme),
    ...field('url', live.url ? [theme.accent(live.url)] : [], theme),
    ...field('revision', [`${live.revision}  ${theme.dim(shortDigest(live.digest))}`], theme),
    ...field('commit', commitText(view.recorded, theme), theme),
    ...field('verdict', verdictText(view, live, theme), theme),
    ...field('created', live.createdAt ? [live.createdAt] : [], theme),
    ...field('traffic', trafficLines(live, theme), theme),
    ...field('pin', [pinText(live.pin)], theme),
    ...field('release', releaseText(view), theme),
  ];
}

type Live = NonNullable<ServiceStatus['live']>;

function unusualLines(view: StatusView, live: Live, deploy: string, theme: Theme): string[] {
  const { hold } = view;
  const bad = (text: string) => `${mark('failed', theme)} ${text}`;
  const doubt = (text: string) => `${theme.warn(signs.warning)} ${text}`;
  return [
    ...(hold
      ? [
          doubt(`held ${sanitiseLine(describeHold(hold))}`),
          `  no deploy moves this traffic; \`${retyped(deploy, 'unpin')}\` lifts the hold`,
        ]
      : []),
    ...(live.ready ? [] : [bad('not ready'), ...failedConditions(live.conditions)]),
    ...(sameTraffic(live.desired, live.actual)
      ? []
      : [bad(`traffic is not what is wanted: ${targets(live.desired)}`)]),
    ...(live.actual.some(({ percent }) => percent > 0) ? [] : [bad('no revision serves')]),
    ...pinLines(live.pin, deploy).map(doubt),
  ];
}

function pinLines(pin: Live['pin'], deploy: string): string[] {
  switch (pin) {
    case 'own':
    case 'none':
      return [];
    case 'foreign':
      return [`the traffic was pinned by somebody else; \`${deploy} --take-over-traffic\` takes it over`];
    case 'LATEST':
      return ['the traffic follows LATEST: any revision that gets ready serves at once'];
  }
}

function failedConditions(conditions: readonly Condition[]): string[] {
  return conditions
    .filter(({ state }) => state === 'failed')
    .map(({ type, reason, message }) => `  ${type} ${reason}: ${sanitiseLine(message)}`);
}

function trafficLines({ actual, latestReady }: Live, theme: Theme): string[] {
  return table(
    actual.map(({ revision, percent, tag = '', uri = '' }) => [
      `${percent} %`,
      revision === 'LATEST' && latestReady ? `LATEST, now ${latestReady}` : revision,
      theme.dim(tag),
      tag ? theme.dim(uri) : '',
    ]),
    ['right'],
  );
}

function sameTraffic(desired: readonly TrafficTarget[], actual: readonly TrafficTarget[]): boolean {
  const keys = (targets: readonly TrafficTarget[]) =>
    targets.map(({ revision, percent, tag = '' }) => `${revision} ${percent} ${tag}`).sort();
  return keys(desired).join('\n') === keys(actual).join('\n');
}

function targets(traffic: readonly TrafficTarget[]): string {
  return traffic
    .map(({ revision, percent, tag }) => `${percent} % ${revision}${tag ? ` (${tag})` : ''}`)
    .join(', ');
}

/** The ledger knows how the last release ended; without it only what is marked on the service. */
function releaseText({ recorded: { lastRelease }, newestRelease }: StatusView): string[] {
  if (lastRelease) {
    const { id, runbook, outcome, who } = lastRelease;
    return [`${id}  ${runbook ?? 'release'} ${outcome}${who ? `, by ${sanitiseLine(who, 100)}` : ''}`];
  }
  return newestRelease ? [`${sanitiseLine(newestRelease.id)}  ${newestRelease.state}`] : [];
}

/** Who is at work, and what waits for somebody. */
function openLines({ lock, open }: RecordedStatus, theme: Theme): string[] {
  const safe = (text: string) => sanitiseLine(text, 300);
  return [
    ...(lock
      ? [`  ${mark('running', theme)} ${safe(lock.who)} is at work since ${lock.since}: ${safe(lock.why)}`]
      : []),
    ...open.flatMap(({ what, next }) => [
      `  ${theme.warn(signs.warning)} ${safe(what)}`,
      ...(next ? [`    ${theme.accent(signs.next)} ${safe(next)}`] : []),
    ]),
  ];
}

function commitText({ made }: RecordedStatus, theme: Theme): string[] {
  if (!made) return [];
  const commit = made.commit?.slice(0, 12) ?? 'not known';
  return [`${commit}${made.dirty ? theme.warn(' with changes') : ''}`];
}

function verdictText({ recorded: { made } }: StatusView, live: Live, theme: Theme): string[] {
  if (!made?.verdict) return live.verified ? ['ready'] : [theme.warn('none: what serves was never verified')];
  const paint = { ready: theme.good, pending: theme.warn, blocked: theme.bad }[made.verdict];
  const doubt = made.intact ? '' : theme.dim('  the record does not show that it is whole');
  return [`${paint(made.verdict)}  ${theme.dim(`release ${made.release}`)}${doubt}`];
}

function pinText(pin: Live['pin']): string {
  switch (pin) {
    case 'own':
      return "Sluice's own";
    case 'foreign':
      return "somebody else's";
    case 'LATEST':
      return 'none: LATEST';
    case 'none':
      return 'none';
  }
}
