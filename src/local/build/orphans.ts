import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/**
 * Ends the processes that work in this folder, in whatever group or session: what a build script or a killed local
 * cloud left behind. Only where /proc tells (Linux).
 */
export function endProcessesIn(folder: string): void {
  for (const pid of processIds()) {
    const cwd = workingFolder(pid);
    if (cwd?.startsWith(folder + path.sep) && Number(pid) !== process.pid) kill(Number(pid));
  }
}

function processIds(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function workingFolder(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
