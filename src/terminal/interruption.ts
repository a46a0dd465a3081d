import { writeSync } from 'node:fs';
import { exitCodes } from '../errors.ts';

/** npm passes a Ctrl-C on to a child that the terminal has already told: within this time it is the same key press. */
const samePressMs = 400;

/** Why a run's signal was aborted. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly by: 'SIGINT' | 'SIGTERM' | 'closed-output';

  constructor(by: Interrupted['by']) {
    super(by === 'closed-output' ? 'nobody reads the output any more' : 'interrupted');
    this.by = by;
  }
}

export type Interruption = {
  /** Aborted with an `Interrupted` by the first Ctrl-C or SIGTERM. */
  signal: AbortSignal;
  dispose(): void;
};

/**
 * One per run. `restores`: the run has something to put back, so the first signal says so, and the second
 * ends the process at once with the outcome unknown.
 */
export function watchInterruption(options: { restores: boolean; say: (line: string) => void }): Interruption {
  const controller = new AbortController();
  let firstAt: number | undefined;

  const onSignal = (name: NodeJS.Signals) => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      if (options.restores) options.say('interrupted: restoring … press Ctrl-C again to stop at once');
      controller.abort(new Interrupted(name === 'SIGTERM' ? 'SIGTERM' : 'SIGINT'));
    } else if (now - firstAt > samePressMs) {
      stopAtOnce(options.restores);
    }
  };
  const onStdoutError = (error: NodeJS.ErrnoException) => {
    // A release goes on without its reader; anything else has nobody left to work for.
    if (error.code === 'EPIPE' && !options.restores) controller.abort(new Interrupted('closed-output'));
  };

  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.stdout.on('error', onStdoutError);
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
      process.stdout.off('error', onStdoutError);
    },
  };
}

function stopAtOnce(restores: boolean): never {
  if (!restores) process.exit(exitCodes.interrupted);
  // Past every buffer: the task list may hold stderr.
  writeSync(
    2,
    '\n✖ stopped at once: the outcome is unknown. What is known stands in the ledger.\n→ sluice status\n',
  );
  process.exit(exitCodes.unknown);
}
