import { spawn } from 'node:child_process';

/**
 * Argument vectors put before an instance's own, best first: with the first two the kernel ends an instance, and all it
 * started, when the local cloud dies, even by SIGKILL; and the application is PID 1, as in a container. The second
 * needs no root.
 */
const tied = ['setpriv', '--pdeathsig', 'SIGKILL', '--', 'unshare', '--pid', '--fork', '--kill-child', '--'];
const launchers = [tied, ['unshare', '--user', '--map-current-user', '--keep-caps', '--', ...tied]];

/**
 * What unshare says, and exits with 1, when its child was ended by SIGKILL: it tries to end itself the same way, with a
 * handler that SIGKILL cannot have. It passes on every other signal, and every exit code.
 */
export const childWasKilled = /^unshare: sigprocmask unblock failed: /;

/** The first launcher that works here, or none: then the orphans of a crash are ended at the next start. */
export async function findLauncher(): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  for (const launcher of launchers) {
    if (await passesExitCode(launcher)) return launcher;
  }
  return [];
}

function passesExitCode(launcher: string[]): Promise<boolean> {
  const expected = 7;
  const [command = '', ...rest] = launcher;
  return new Promise((resolve) => {
    const child = spawn(command, [...rest, process.execPath, '-e', `process.exit(${expected})`], {
      stdio: 'ignore',
      timeout: 5000,
    });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === expected));
  });
}
