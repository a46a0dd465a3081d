import { setTimeout as sleep } from 'node:timers/promises';
import type { LogsPort } from '../cloud/ports/index.ts';
import type { RequestLog } from './context.ts';
import { ownAgent } from './own-agent.ts';

const pollMs = 1_000;
const most = 1_000;

/** Who asks by themselves: Sluice, load balancers, uptime checks. None of them is a test. */
const machines = `^(${ownAgent}|GoogleHC|GoogleStackdriverMonitoring)`;

/** The request log of a revision (`filter` selects it); its entries may come in up to `lateMs` after the request. */
export function requestLog(
  logs: LogsPort,
  { project, filter }: { project: string; filter: string },
  lateMs: number,
): RequestLog {
  return {
    count: async (from, to, signal) => {
      const query = {
        project,
        filter: [
          filter,
          `logName="projects/${project}/logs/run.googleapis.com%2Frequests"`,
          `timestamp>="${from.toISOString()}"`,
          `timestamp<="${to.toISOString()}"`,
          `NOT httpRequest.userAgent=~"${machines}"`,
        ].join(' AND '),
        limit: most,
      };
      const end = performance.now() + lateMs;
      for (;;) {
        const found = await logs.list(query, { signal });
        const left = end - performance.now();
        if (found.length > 0 || left <= 0) return found.length;
        await sleep(Math.min(pollMs, left), undefined, { signal });
      }
    },
  };
}
