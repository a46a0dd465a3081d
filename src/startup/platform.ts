import { type Diagnosis, diagnose, tiers, undiagnosed } from './diagnose.ts';
import type { Level } from './levels.ts';
import { asCause } from './text.ts';

/** What Cloud Run itself says, in its system log and its system events. */
export type PlatformFact =
  | { says: 'starting' }
  | { says: 'stopping' }
  | { says: 'probe-passed' }
  | { says: 'exit'; code: number; diagnosis: Diagnosis }
  | { says: 'ready' }
  | { says: 'trouble'; diagnosis: Diagnosis; readyFalse: boolean };

/** Asked of every entry: looking for what both names share is cheaper than comparing two ends. */
export const isPlatformLog = (log: string): boolean =>
  log.includes('/system') && (log.endsWith('/varlog/system') || log.endsWith('/system_event'));

export function platformFact(line: string, level: Level): PlatformFact | undefined {
  if (line.startsWith('Starting new instance')) return { says: 'starting' };
  if (line.startsWith('Shutting down ')) return { says: 'stopping' };
  if (/STARTUP \w+ probe succeeded/i.test(line)) return { says: 'probe-passed' };
  const exit = /Container called exit\((-?\d+)\)/.exec(line);
  if (exit) return exited(Number(exit[1]));
  const signal = /Container (?:was )?(?:terminated|killed) (?:on|by|with) signal (\d+)/i.exec(line);
  if (signal) return signalled(Number(signal[1]));
  const uncaught = /Uncaught signal: (\d+)/.exec(line)?.[1];
  if (uncaught !== undefined) return { says: 'trouble', readyFalse: false, diagnosis: crashed(uncaught) };
  const ready =
    /Ready condition status changed to (True|False)(?: for \w+ \S+)?(?: with message: (.*))?/.exec(line);
  if (ready)
    return ready[1] === 'True'
      ? { says: 'ready' }
      : { says: 'trouble', readyFalse: true, diagnosis: notReady(ready[2] ?? line) };
  if (/(?:STARTUP|LIVENESS) \w+ probe failed/i.test(line))
    return { says: 'trouble', readyFalse: false, diagnosis: probeFailed(line) };
  const unstartable = /\bApplication failed to start: (.+)/.exec(line)?.[1];
  if (unstartable !== undefined)
    return { says: 'trouble', readyFalse: false, diagnosis: undiagnosed(unstartable, 'error', true) };
  const known = diagnose(line);
  if (known?.category === 'memory' || known?.category === 'database')
    return { says: 'trouble', readyFalse: false, diagnosis: known };
  return level === 'error' || level === 'critical'
    ? { says: 'trouble', readyFalse: false, diagnosis: undiagnosed(line, 'error', false) }
    : undefined;
}

function exited(code: number): PlatformFact {
  const killed =
    code === 137
      ? ' The kernel killed it (signal 9), mostly for want of memory: raise container.memory.'
      : '';
  const diagnosis: Diagnosis = {
    category: 'exit',
    key: `exit|${code}`,
    cause: `The container exited with exit code ${code}`,
    hint:
      code === 0
        ? 'A service must not end by itself: keep the server running.'
        : `Its own last lines say why.${killed}`,
    fatal: code !== 0,
    // An exit of its own explains the probe that found nobody (6); a signal may be the probe's doing.
    tier: code > 0 && code < 128 ? 5.5 : tiers.exit,
  };
  return { says: 'exit', code, diagnosis };
}

function signalled(signal: number): PlatformFact {
  const memory =
    signal === 9
      ? 'Mostly for want of memory: raise container.memory in sluice.yaml.'
      : signal === 15
        ? 'Cloud Run asked it to stop; before its start was over, see what kept it.'
        : crashHint;
  const cause = `The container was ended by signal ${signal}`;
  return {
    says: 'exit',
    code: 128 + signal,
    diagnosis: {
      category: 'exit',
      key: `signal|${signal}`,
      cause,
      hint: memory,
      fatal: signal !== 15,
      tier: tiers.exit,
    },
  };
}

const crashHint = 'The process crashed: look for a native library or a stack overflow.';

/** Of one of the container's processes: its own end is told apart. */
const crashed = (signal: string): Diagnosis => ({
  category: 'exception',
  key: `uncaught|${signal}`,
  cause: `A process crashed with signal ${signal}`,
  hint: crashHint,
  fatal: true,
  tier: tiers.exit - 0.5,
});

/** The condition's message is Cloud Run's account of the failure, often only of its consequence. */
function notReady(message: string): Diagnosis {
  const known = diagnose(message);
  if (known && known.category !== 'error') return { ...known, fatal: true };
  const cause = asCause(message);
  return {
    category: 'condition',
    key: `condition|${cause}`,
    cause,
    hint: 'Cloud Run refused the revision; the message says what to change.',
    fatal: true,
    tier: tiers.condition,
  };
}

function probeFailed(line: string): Diagnosis {
  const port = /on port (\d+)/.exec(line)?.[1];
  const path = /\bpath "?([^\s"]+)/.exec(line)?.[1];
  const where = port === undefined ? 'its port' : `port ${port}`;
  const asked =
    path === undefined ? `nothing answered on ${where}` : `${path} on ${where} was not answered with success`;
  const final = /was not started|is not ready|shut(?:ting)? down/i.test(line);
  return {
    category: 'port',
    key: `port|probe|${where}|${/LIVENESS/i.test(line) ? 'liveness' : 'startup'}`,
    cause: /LIVENESS/i.test(line)
      ? `The liveness probe failed on ${where}`
      : `The startup probe failed: ${asked}`,
    hint: 'Listen on 0.0.0.0:$PORT before the probe gives up; see the lines before for what kept it.',
    fatal: final,
    tier: 6,
  };
}
