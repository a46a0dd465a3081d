// CHAT_FAULT makes the service fail as real ones did, so that one can see what Sluice says of it.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

const faults = ['import-error', 'exit-after-bind', 'never-listens', 'system-failed', 'slow-phase'];

export function chosenFault(name) {
  if (!name || faults.includes(name)) return name || undefined;
  throw new Error(`CHAT_FAULT is "${name}"; it can be ${faults.join(', ')}`);
}

/** The startup probe passes, and only then it fails: what a probe of the port cannot see. */
export async function behindTheProbe({ fault, server }) {
  if (fault !== 'import-error' && fault !== 'exit-after-bind') return;
  await Promise.race([once(server, 'connection'), pause(2000, undefined, { ref: false })]);
  if (fault === 'exit-after-bind') process.exit(3);
}

/** A refactoring moved the module away; this import stayed. */
export async function importWhatIsMissing({ fault }) {
  if (fault === 'import-error') await import('./services/monitoring.js');
}

/** Far beyond the budget that sluice.yaml gives the phase. */
export async function dawdle({ fault }) {
  if (fault === 'slow-phase') await pause(6000);
}
