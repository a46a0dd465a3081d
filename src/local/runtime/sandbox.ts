import { constants } from 'node:fs';
import { access, chmod, copyFile, mkdir, readdir, readlink, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { RunnableRevision } from '../contracts.ts';
import type { Mount } from './volumes.ts';

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

/** The command line, without a shell: `command` replaces the image's entrypoint, `args` the rest of its command. */
export function commandLine({ command, args, image }: RunnableRevision): string[] {
  if (command.length > 0) return [...command, ...args];
  return args.length > 0 ? [...(image.entrypoint ?? image.command), ...args] : image.command;
}

/**
 * Where an image that was built over the machine's system has its parts: each file or folder that the machine lacks,
 * or that is no folder on both.
 */
export async function imageMounts(root: string, folder = '/'): Promise<Mount[]> {
  const entries = await readdir(path.join(root, folder), { withFileTypes: true });
  const mounts = await Promise.all(
    entries.map(async (entry): Promise<Mount[]> => {
      const target = path.posix.join(folder, entry.name);
      const there = await stat(target).catch(() => undefined);
      if (entry.isDirectory() && there?.isDirectory()) return imageMounts(root, target);
      const source = path.join(root, target);
      const isFolder = (await stat(source).catch(() => undefined))?.isDirectory() ?? false;
      return [{ source, target, readOnly: false, isFile: !isFolder }];
    }),
  );
  return mounts.flat();
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
  /** Where on the machine a path of the process is. */
  locate: (file: string) => string,
): Promise<string | undefined> {
  const named = command.includes('/')
    ? [path.resolve(cwd, command)]
    : searchPath.split(path.delimiter).map((folder) => path.resolve(cwd, folder, command));
  const candidates = named.map(locate);
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
