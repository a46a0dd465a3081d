import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceRun } from './run.ts';

/** Reads again and again until the answer satisfies, or gives undefined when the time is up. */
export async function until<T>(
  run: Pick<ServiceRun, 'signal' | 'track'>,
  read: () => Promise<T>,
  satisfied: (value: T) => boolean,
  times: { everyMs: number; withinMs: number },
): Promise<{ value: T; met: boolean }> {
  const deadline = performance.now() + times.withinMs;
  for (;;) {
    const value = await read();
    if (satisfied(value)) return { value, met: true };
    if (performance.now() + times.everyMs > deadline) return { value, met: false };
    await pause(run, times.everyMs);
  }
}

export function pause(run: Pick<ServiceRun, 'signal' | 'track'>, ms: number): Promise<void> {
  return run.track(sleep(ms, undefined, { signal: run.signal }));
}
