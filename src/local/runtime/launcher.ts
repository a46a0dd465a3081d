import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { removeFolder } from './process-records.ts';
import { toolPath } from './tools.ts';
import { namespaceArguments } from './view.ts';

const [setpriv, unshare] = [toolPath('setpriv'), toolPath('unshare')];

/**
 * Argument vectors put before an instance's own, best first: with the first two the kernel ends an instance, and all it
 * started, when the local cloud dies, even by SIGKILL; and the application is PID 1, as in a container. The second
 * needs no root.
 */
const dies = [setpriv, '--pdeathsig', 'SIGKILL', '--'];
const tied = [...dies, unshare, '--pid', '--fork', '--kill-child', '--'];
const launchers = [tied, [unshare, '--user', '--map-current-user', '--keep-caps', '--', ...tied]];

/** The same, with mounts of its own; mount(8) wants to be root, if only in its own eyes. */
const mounting = [...dies, unshare, '--pid', '--mount', '--fork', '--kill-child', '--'];
const mountingLaunchers = [mounting, [unshare, '--user', '--map-root-user', '--', ...mounting]];

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
  return exits([...launcher, process.execPath, '-e', `process.exit(${expected})`], expected);
}

/** The first launcher whose instances can mount, shown by one mount; undefined where none can. */
export async function findMountingLauncher(instances: string): Promise<string[] | undefined> {
  if (process.platform !== 'linux') return undefined;
  await mkdir(instances, { recursive: true });
  const folder = await mkdtemp(path.join(instances, 'probe-'));
  try {
    const [root, source] = [path.join(folder, 'root'), path.join(folder, 'source')];
    await Promise.all([mkdir(root), mkdir(source)]);
    await writeFile(path.join(source, 'proof'), '');
    const target = '/sluice-mount-probe/folder';
    const view = await namespaceArguments(root, folder, [{ source, target, readOnly: true }]);
    for (const launcher of mountingLaunchers) {
      if (await exits([...launcher, ...view, 'test', '-f', `${target}/proof`], 0)) return launcher;
    }
    return undefined;
  } finally {
    await removeFolder(folder);
  }
}

function exits([command = '', ...args]: string[], expected: number): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'ignore', timeout: 5000 });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === expected));
  });
}
