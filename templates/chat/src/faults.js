// CHAT_FAULT makes the service fail as real ones did, so that one can see what Sluice says of it.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

const faults = [
  'import-error',
  'exit-after-bind',
  'never-listens',
  'system-failed',
  'slow-phase',
  'ws-403',
  'ws-1011',
  'ws-error-1005',
  'ws-missing-events',
];

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

/**
 * The variables of the tests are set, but the code that knows a test by its header was never deployed, and guests
 * are no longer let in: only who has signed in may open the socket.
 */
export function refusesGuests({ fault }) {
  return fault === 'ws-403';
}

/** Answers instead of the agent; false when it is the agent's turn. */
export function answersWrongly({ fault }, socket) {
  if (fault === 'ws-1011') socket.close(1011, 'internal error');
  if (fault === 'ws-error-1005') socket.send(JSON.stringify(databaseError));
  return fault === 'ws-1011' || fault === 'ws-error-1005';
}

/** The tool ran into a branch that tells nobody. */
export function swallows({ fault }, event) {
  return fault === 'ws-missing-events' && event.type.startsWith('tool_');
}

const importError = "cannot import name 'get_db_session_factory' from 'app.db.session'";
const databaseError = {
  type: 'error',
  error: {
    code: 1005,
    component: 'Database',
    message: `Database connectivity failure: ${importError}`,
    component_details: {
      database: { status: 'failed', error: importError, error_code: 1005 },
      redis: { status: 'degraded', details: 'App state not accessible for Redis validation' },
    },
  },
};
