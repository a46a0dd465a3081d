import { type runbooks, type Stage, stages } from '../release/events.ts';

export type Runbook = (typeof runbooks)[number];

/** How a runbook speaks of itself, each followed by the environment's name. */
export type RunbookWords = {
  done: string;
  notDone: string;
  notBegun: string;
  /** What did not happen when it did not begin. */
  nothing: string;
};

const written = 'nothing was built or written';

export const runbookWords: Record<Runbook, RunbookWords> = {
  deploy: {
    done: 'is deployed to',
    notDone: 'was not deployed to',
    notBegun: 'was not deployed to',
    nothing: written,
  },
  promote: {
    done: 'is promoted to',
    notDone: 'was not promoted to',
    notBegun: 'was not promoted to',
    nothing: written,
  },
  rollback: {
    done: 'is rolled back in',
    notDone: 'was not rolled back in',
    notBegun: 'was not rolled back in',
    nothing: 'nothing was written',
  },
  unpin: {
    done: 'is no longer held in',
    notDone: 'is still held in',
    notBegun: 'is still held in',
    nothing: 'nothing was written',
  },
  check: {
    done: 'has passed its checks in',
    notDone: 'has not passed its checks in',
    notBegun: 'was not checked in',
    nothing: 'there is nothing to check',
  },
};

/** The stages that a runbook may come to, in their order. */
export function stagesOf(runbook: Runbook): readonly Stage[] {
  return runbook === 'check' ? ['observe', 'checks', 'checklist'] : stages;
}
