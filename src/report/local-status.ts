import { signs, type Theme } from '../terminal/theme.ts';
import { field } from './layout.ts';

type ListedService = { service: string; uri: string; ready: boolean };

/** What the local cloud's launcher tells; its own type stays on its side of the wire. */
export type LocalStatus =
  | { state: 'stopped'; home: string }
  | {
      state: 'running';
      home: string;
      port: number;
      pid: number;
      latency: { profile: 'none' | 'cloud'; factor: number };
      idleTimeout: { seconds: number };
      services: ListedService[];
    };

export function localStatusLines(status: LocalStatus, theme: Theme): string[] {
  if (status.state === 'stopped') {
    return [
      `the local cloud does not run; its state lies in ${status.home}`,
      `${theme.accent(signs.next)} sluice local start`,
    ];
  }
  return [
    `the local cloud runs on 127.0.0.1:${status.port} ${theme.dim(`(pid ${status.pid})`)}`,
    ...field('state', [status.home], theme),
    ...field('latency', latencyOf(status.latency), theme),
    ...field('idle', idleOf(status.idleTimeout), theme),
    ...field('services', serviceLines(status.services, theme), theme),
  ];
}

const mostServices = 20;

/** As many as can be taken in; of more than that, those first that need somebody to look. */
function serviceLines(services: readonly ListedService[], theme: Theme): string[] {
  const line = ({ service, uri, ready }: ListedService) =>
    `${service}  ${theme.accent(uri)}${ready ? '' : theme.bad('  not ready')}`;
  if (services.length <= mostServices) return services.map(line);
  const byNeed = [...services.filter(({ ready }) => !ready), ...services.filter(({ ready }) => ready)];
  const hidden = byNeed.slice(mostServices);
  const waiting = hidden.filter(({ ready }) => !ready).length;
  const state = waiting === 0 ? 'all ready' : `${waiting} not ready`;
  return [
    ...byNeed.slice(0, mostServices).map(line),
    theme.dim(`and ${hidden.length} more, ${state}: sluice local status --json`),
  ];
}

const usualIdleSeconds = 900;

/** Said where it is not as on Cloud Run. */
function idleOf({ seconds }: { seconds: number }): string[] {
  return seconds === usualIdleSeconds ? [] : [`an instance is stopped after ${seconds} s without a request`];
}

/** Said where it is not as quick as this machine. */
function latencyOf({ profile, factor }: { profile: 'none' | 'cloud'; factor: number }): string[] {
  if (profile === 'none') return [];
  return [factor === 1 ? 'as slow as the real thing' : `as slow as the real thing × ${factor}`];
}
