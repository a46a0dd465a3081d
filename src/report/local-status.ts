import { signs, type Theme } from '../terminal/theme.ts';
import { field } from './layout.ts';

/** What the local cloud's launcher tells; its own type stays on its side of the wire. */
export type LocalStatus =
  | { state: 'stopped'; home: string }
  | {
      state: 'running';
      home: string;
      port: number;
      pid: number;
      latency: { profile: 'none' | 'cloud'; factor: number };
      services: { service: string; uri: string; ready: boolean }[];
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
    ...field(
      'services',
      status.services.map(
        ({ service, uri, ready }) =>
          `${service}  ${theme.accent(uri)}${ready ? '' : theme.bad('  not ready')}`,
      ),
      theme,
    ),
  ];
}

/** Said where it is not as quick as this machine. */
function latencyOf({ profile, factor }: { profile: 'none' | 'cloud'; factor: number }): string[] {
  if (profile === 'none') return [];
  return [factor === 1 ? 'as slow as the real thing' : `as slow as the real thing × ${factor}`];
}
