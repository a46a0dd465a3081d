import { constants } from 'node:fs';
import { access, chmod, copyFile, mkdir, readdir, readlink, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { RunnableRevision } from '../contracts.ts';

/** What is one instance's own: a folder with `app` (its copy of the image), `home`, `tmp` and an empty `root`. */
export type Sandbox = { folder: string; cwd: string; home: string; tmp: string; root: string };

/**
 * Instances share an image, so each gets a writable copy (copy on write where the file system can). Only
 * `node_modules` is linked instead of copied: it is large, and nothing writes there at run time.
 */
export async function openSandbox(folder: string, imageRoot: string): Promise<Sandbox> {
  const sandbox = {
    folder,
    cwd: path.join(folder, 'app'),
    home: path.join(folder, 'home'),
    tmp: path.join(folder, 'tmp'),
    root: path.join(folder, 'root'),
  };
  const { home, tmp, root } = sandbox;
  await Promise.all([home, tmp, root].map((own) => mkdir(own, { recursive: true })));
  await copyImage(imageRoot, sandbox.cwd);
  return sandbox;
}

/** Unlike `fs.cp`, it makes the copy of a read-only file or folder writable. */
async function copyImage(from: string, to: string): Promise<void> {
  await mkdir(to);
  const entries = await readdir(from, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const [source, copy] = [path.join(from, entry.name), path.join(to, entry.name)];
      if (entry.name === 'node_modules') await symlink(source, copy, 'dir');
      else if (entry.isSymbolicLink()) await symlink(await readlink(source), copy);
      else if (entry.isDirectory()) await copyImage(source, copy);
      else if (entry.isFile()) await copyWritable(source, copy);
    }),
  );
}

async function copyWritable(source: string, copy: string): Promise<void> {
  await copyFile(source, copy, constants.COPYFILE_FICLONE);
  const { mode } = await stat(copy);
  if ((mode & constants.S_IWUSR) === 0) await chmod(copy, mode | constants.S_IWUSR);
}

/** The command line, without a shell: `command` replaces the image's, `args` follow. */
export function commandLine(revision: RunnableRevision): string[] {
  const command = revision.command.length > 0 ? revision.command : revision.image.command;
  return [...command, ...revision.args];
}

/**
 * The whole environment: the image's and the revision's (`own`), and what Cloud Run's contract adds. Nothing of the host gets in
 * but its search path, led by the Node that runs the local cloud. `port` is the instance's own on loopback, not the
 * revision's: many instances share one machine.
 */
export function instanceEnvironment(
  revision: RunnableRevision,
  own: Record<string, string>,
  sandbox: Sandbox,
  port: number,
  hostPath: string,
): Record<string, string> {
  return {
    HOME: sandbox.home,
    TMPDIR: sandbox.tmp,
    LANG: 'C.UTF-8',
    ...own,
    PATH: [path.dirname(process.execPath), own['PATH'] ?? hostPath].join(path.delimiter),
    PORT: String(port),
    K_SERVICE: revision.service,
    K_REVISION: revision.revision,
    K_CONFIGURATION: revision.service,
  };
}

/** Why a command cannot be executed, in the kernel's words; undefined when it can. */
export async function whyNotExecutable(
  command: string,
  cwd: string,
  searchPath: string,
): Promise<string | undefined> {
  const candidates = command.includes('/')
    ? [path.resolve(cwd, command)]
    : searchPath.split(path.delimiter).map((folder) => path.resolve(cwd, folder, command));
  let why = 'no such file or directory';
  for (const candidate of command === '' ? [] : candidates) {
    try {
      if (!(await stat(candidate)).isFile()) continue;
      await access(candidate, constants.X_OK);
      return undefined;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EACCES') why = 'permission denied';
    }
  }
  return why;
}
