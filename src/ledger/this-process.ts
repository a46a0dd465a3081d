import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { LockHolder } from './lock-holder.ts';

/** A pid means something only among the processes that share this name: containers may share a host's. */
export function thisHost(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** A holder on this host without a process is gone for certain; one with a process may be another's by now. */
export function hasEndedHere(holder: Pick<LockHolder, 'host' | 'pid'>): boolean {
  if (holder.host !== thisHost()) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
