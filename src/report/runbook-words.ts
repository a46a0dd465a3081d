import type { DurableEvent } from '../release/events.ts';

type Runbook = Extract<DurableEvent, { type: 'release.started' }>['runbook'];

/** What a runbook's ends are called, in one place for the views and the summary. */
type RunbookWords = {
  /** One word, or two: `deployed`. */
  short: string;
  /** `chat is deployed to staging`; `revision` is '' when there is none. */
  done(service: string, environment: string, revision: string): string;
  /** Nothing was to be done. */
  unchanged(service: string, environment: string): string;
  failed(service: string, environment: string): string;
  /** What has not happened when it was not even started. */
  untouched: string;
};

const words: Record<Runbook, RunbookWords> = {
  deploy: {
    short: 'deployed',
    done: (service, environment) => `${service} is deployed to ${environment}`,
    unchanged: (service, environment) => `${service} is unchanged in ${environment}`,
    failed: (service, environment) => `${service} was not deployed to ${environment}`,
    untouched: 'nothing was built or written',
  },
  promote: {
    short: 'promoted',
    done: (service, environment) => `${service} is promoted to ${environment}`,
    unchanged: (service, environment) => `${service} is unchanged in ${environment}`,
    failed: (service, environment) => `${service} was not promoted to ${environment}`,
    untouched: 'nothing was written',
  },
  rollback: {
    short: 'rolled back',
    done: (service, environment, revision) => `${service} is rolled back to ${revision} in ${environment}`,
    unchanged: (service, environment) => `${service} serves that revision already in ${environment}`,
    failed: (service, environment) => `${service} was not rolled back in ${environment}`,
    untouched: 'nothing was written',
  },
  unpin: {
    short: 'hold lifted',
    done: (service, environment) => `${service} is no longer held in ${environment}`,
    unchanged: (service, environment) => `${service} is not held in ${environment}`,
    failed: (service, environment) => `the hold on ${service} was not lifted in ${environment}`,
    untouched: 'nothing was written',
  },
  check: {
    short: 'checked',
    done: (service, environment) => `${service} has passed its checks in ${environment}`,
    unchanged: (service, environment) => `${service} has passed its checks in ${environment}`,
    failed: (service, environment) => `${service} has not passed its checks in ${environment}`,
    untouched: 'nothing was checked',
  },
};

/** A record that does not say its runbook is told as a deploy. */
export function wordsOf(runbook: Runbook | undefined): RunbookWords {
  return words[runbook ?? 'deploy'];
}
