import { setTimeout as sleep } from 'node:timers/promises';
import type { LogSink, NewLogEntry, Route, Router } from '../contracts.ts';
import { drawMs, type LatencySetting, type Moment } from './profile.ts';

/** How long things take beside their own work. Whoever waits asks anew each time, so a new setting holds at once. */
export class Latency {
  setting: LatencySetting;

  constructor(setting: LatencySetting) {
    this.setting = setting;
  }

  ms(moment: Moment): number {
    return drawMs(this.setting, moment);
  }

  /** Resolves at once when there is nothing to wait for, and when the signal aborts. */
  async wait(moment: Moment, signal?: AbortSignal): Promise<void> {
    const ms = this.ms(moment);
    if (ms > 0) await sleep(ms, undefined, { ref: false, ...(signal && { signal }) }).catch(() => {});
  }
}

/** So many entries wait at most; more come in at once. */
const maxLate = 10_000;

/** Entries are stored late, in their order, with the time at which they were written. */
export function slowSink(sink: LogSink, latency: Latency): LogSink & { stop(): void } {
  const late: NewLogEntry[] = [];
  let timer: NodeJS.Timeout | undefined;
  const store = () => {
    timer = undefined;
    for (const entry of late.splice(0)) sink.write(entry);
  };
  return {
    write(entry) {
      const ms = latency.ms('logIngestion');
      if (ms === 0 && late.length === 0) return sink.write(entry);
      late.push({ timestamp: new Date(), ...entry });
      timer ??= setTimeout(store, ms).unref();
      if (late.length >= maxLate) this.stop();
    },
    stop() {
      clearTimeout(timer);
      store();
    },
  };
}

/** A service that is opened or closed to the public stays a while as it was. */
export function slowAccess(router: Router, latency: Latency): Router {
  const known = new Map<string, { wanted: Route; open: boolean }>();
  const keyOf = ({ project, location, service }: Pick<Route, 'project' | 'location' | 'service'>) =>
    `${project}/${location}/${service}`;
  return {
    apply(route) {
      const key = keyOf(route);
      const before = known.get(key);
      const ms = latency.ms('access');
      const open = before && ms > 0 ? before.open : route.public;
      const now = { wanted: route, open };
      known.set(key, now);
      if (open !== route.public)
        setTimeout(() => {
          const latest = known.get(key);
          if (latest?.wanted.public !== route.public || latest.open === route.public) return;
          latest.open = route.public;
          router.apply({ ...latest.wanted }).catch(() => {});
        }, ms).unref();
      return router.apply({ ...route, public: open });
    },
    remove(service) {
      known.delete(keyOf(service));
      return router.remove(service);
    },
    stop() {
      known.clear();
      return router.stop();
    },
  };
}
