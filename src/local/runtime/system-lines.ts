import { constants } from 'node:os';
import type { InstanceStart, Probe, RunnableRevision } from '../contracts.ts';
import type { ProbeFailure } from './probe.ts';

/** Cloud Run's own words: its lines in `run.googleapis.com/varlog/system` and its messages for a failed deployment. */
export type SystemLine = { severity: 'INFO' | 'WARNING' | 'ERROR'; text: string };

const startReasons: Record<InstanceStart, string> = {
  DEPLOYMENT_ROLLOUT:
    'Instance started due to traffic shifting between revisions due to deployment, traffic split adjustment, or deployment health check.',
  AUTOSCALING:
    'Instance started due to configured scaling factors (e.g. CPU utilization, request throughput, etc.) or no existing capacity for current traffic.',
  MANUAL_OR_CUSTOMER_MIN_INSTANCE:
    'Instance started because of customer-configured min-instances or manual scaling.',
};

export function startingLine(reason: InstanceStart): SystemLine {
  return { severity: 'INFO', text: `Starting new instance. Reason: ${reason} - ${startReasons[reason]}` };
}

export function probePassedLine(revision: RunnableRevision, attempts: number): SystemLine {
  const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  return {
    severity: 'INFO',
    text: `${probeName(revision)} succeeded after ${times} for ${probedContainer(revision)}.`,
  };
}

export function probeFailedLine(revision: RunnableRevision, failure: ProbeFailure): SystemLine {
  const times = failure.failures === 1 ? '1 time' : `${failure.failures} times`;
  return {
    severity: 'ERROR',
    text: `${probeName(revision)} failed ${times} consecutively for ${probedContainer(revision)}. The instance was not started.\n${failure.detail}`,
  };
}

export function exitLine(code: number | null, signal: NodeJS.Signals | null): SystemLine {
  return {
    severity: 'WARNING',
    text: signal
      ? `Container terminated on signal ${constants.signals[signal]}.`
      : `Container called exit(${code ?? 0}).`,
  };
}

export function cannotExecuteLine(command: string, path: string, why: string): SystemLine {
  const folders = path.split(':').join(' ');
  return {
    severity: 'ERROR',
    text: `Application failed to start: failed to resolve binary path: error finding executable "${command}" in PATH [${folders}]: ${why}`,
  };
}

export function cannotStartLine(error: unknown): SystemLine {
  const why = error instanceof Error ? error.message : String(error);
  return { severity: 'ERROR', text: `Application failed to start: ${why}` };
}

/** The local cloud's own: Cloud Run always mounts. */
export function notMountedLine({ source, target }: { source: string; target: string }): SystemLine {
  return {
    severity: 'WARNING',
    text: `Nothing can be mounted on this machine: ${target} is at ${source}, and variables and arguments that name the one name the other.`,
  };
}

/** The local cloud's own: Cloud Run would store the lines, one machine's disk cannot. */
export function droppedLine(dropped: { lines: number; bytes: number }): SystemLine {
  return {
    severity: 'WARNING',
    text: `Dropped ${dropped.lines} log lines (${dropped.bytes} bytes): the instance wrote faster than the local cloud stores.`,
  };
}

export function livenessFailedLine(revision: RunnableRevision, probe: Probe, failures: number): SystemLine {
  const times = failures === 1 ? '1 time' : `${failures} times`;
  return {
    severity: 'ERROR',
    text: `LIVENESS HTTP probe failed ${times} consecutively for ${probedContainer(revision, probe)}. The instance has been shut down.`,
  };
}

/** The message of a revision whose instance did not start, without the `Revision 'X' is not ready …` prefix. */
export function notStartedMessage(revision: RunnableRevision): string {
  const more = 'Logs for this revision might contain more information.';
  if (revision.startupProbe.kind !== 'default') {
    return `The user-provided container failed the configured startup probe checks. ${more}`;
  }
  return (
    `The user-provided container failed to start and listen on the port defined provided by the PORT=${revision.port} ` +
    'environment variable within the allocated timeout. This can happen when the container port is misconfigured or if ' +
    `the timeout is too short. The health check timeout can be extended. ${more}`
  );
}

function probeName({ startupProbe }: RunnableRevision): string {
  const names: Record<Probe['kind'], string> = {
    default: 'Default STARTUP TCP probe',
    tcp: 'STARTUP TCP probe',
    http: 'STARTUP HTTP probe',
  };
  return names[startupProbe.kind];
}

/** Logs show the revision's port, as on Cloud Run; the local port is the machine's affair. */
function probedContainer(revision: RunnableRevision, probe: Probe = revision.startupProbe): string {
  const { kind, port, path } = probe;
  const shown = kind === 'default' || port === 0 ? revision.port : port;
  return `container "${revision.containerName}" on port ${shown}${kind === 'http' ? ` path "${path}"` : ''}`;
}
