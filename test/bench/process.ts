import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

/** Wall time of a whole process in milliseconds. */
export function wallOf(args: readonly string[]): number {
  const began = process.hrtime.bigint();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return Number(process.hrtime.bigint() - began) / 1e6;
}

export type Finished = { status: number | null; stdout: string; stderr: string; wallMs: number };

/** The built CLI as a subprocess, in a folder, with a home of its own. */
export function sluice(cwd: string, home: string, args: readonly string[]): Finished {
  const began = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, SLUICE_HOME: home, NO_COLOR: '1' },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, stdout, stderr, wallMs: Number(process.hrtime.bigint() - began) / 1e6 };
}
