import { Semaphore } from 'async-mutex';
import type { CheckResult } from './result.ts';

type Kind = CheckResult['kind'];

/** What a check takes of whatever it asks, of `loadAtOnce`: a suite has it to itself. 0: it only reads or waits. */
const load: Record<Kind, number> = {
  http: 1,
  websocket: 1,
  command: 2,
  suite: 4,
  imports: 1,
  startup: 0,
  logs: 0,
  manual: 0,
};
const loadAtOnce = 4;
const readersAtOnce = 8;

export type Limits = { run<T>(kind: Kind, work: () => Promise<T>): Promise<T> };

/** Those that only read wait for each other alone: a long log watch must not hold up a request. */
export function createLimits(): Limits {
  const loading = new Semaphore(loadAtOnce);
  const reading = new Semaphore(readersAtOnce);
  return {
    run: (kind, work) =>
      load[kind] === 0 ? reading.runExclusive(work) : loading.runExclusive(work, load[kind]),
  };
}
