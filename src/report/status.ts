import type { Condition, ObservedTraffic, TrafficTarget } from '../cloud/ports/run.ts';
import { describeHold } from '../plan/hold.ts';
import type { ServiceStatus } from '../release/status.ts';
import { table } from '../terminal/columns.ts';
import { shortDigest } from '../terminal/format.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';
import { retyped } from '../typed.ts';
import { field } from './layout.ts';

/** Status for a person: what is unusual first. `deploy`: the command to type, `sluice deploy staging --local`. */
export function statusLines(view: ServiceStatus, deploy: string, theme: Theme): string[] {
  const name = theme.strong(`${view.service} in ${view.environment}`);
  const { live } = view;
  if (!live) {
    const next = `${theme.accent(signs.next)} ${deploy}`;
    return [`${mark('skipped', theme)} ${name} does not exist yet`, next];
  }
  const unusual = unusualLines(view, live, deploy, theme);
  return [
    `${mark(unusual.length === 0 ? 'done' : 'pending', theme)} ${name}`,
    ...unusual.map((line) => `  ${line}`),
    ...field('url', live.url ? [theme.accent(live.url)] : [], theme),
    ...field('revision', [`${live.revision}  ${theme.dim(shortDigest(live.digest))}`], theme),
    ...field('created', live.createdAt ? [live.createdAt] : [], theme),
    ...field('traffic', trafficLines(live.actual, theme), theme),
    ...field('release', releaseText(view.newestRelease), theme),
  ];
}

type Live = NonNullable<ServiceStatus['live']>;

function unusualLines(view: ServiceStatus, live: Live, deploy: string, theme: Theme): string[] {
  const { unfinishedRelease, hold } = view;
  const bad = (text: string) => `${mark('failed', theme)} ${text}`;
  const doubt = (text: string) => `${theme.warn(signs.warning)} ${text}`;
  return [
    ...(hold
      ? [
          doubt(`held ${sanitiseLine(describeHold(hold))}`),
          `  no deploy moves this traffic; \`${retyped(deploy, 'unpin')}\` lifts the hold`,
        ]
      : []),
    ...(unfinishedRelease ? [doubt(`release ${sanitiseLine(unfinishedRelease)} has not finished`)] : []),
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

function trafficLines(actual: readonly ObservedTraffic[], theme: Theme): string[] {
  return table(
    actual.map(({ revision, percent, tag = '', uri = '' }) => [
      `${percent} %`,
      revision,
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

function releaseText(release: ServiceStatus['newestRelease']): string[] {
  return release ? [`${sanitiseLine(release.id)}  ${release.state}`] : [];
}
