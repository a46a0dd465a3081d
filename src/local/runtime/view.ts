import type { Dirent } from 'node:fs';
import { readdir, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import { machinePath, toolPath } from './tools.ts';
import type { Mount } from './volumes.ts';

/**
 * Builds the tree that the steps describe at $1 with the tools of the search path $3, goes into it at the folder $2 and
 * becomes what follows `--`, with the search path it was given. The text is constant: paths arrive as arguments.
 */
const enter = `
set -e
root=$1 cwd=$2 own=$PATH
PATH=$3
unshare=$(command -v unshare)
shift 3
mount -t tmpfs -o mode=755 tmpfs "$root"
while [ "$1" != -- ]; do
  kind=$1 at=$root$2 from=$3
  shift 3
  case $kind in
    dir) mkdir -p "$at" ;;
    link) ln -s "$from" "$at" ;;
    file) [ ! -e "$from" ] || { [ -e "$at" ] || : > "$at"; mount --bind "$from" "$at"; } ;;
    bind) [ ! -e "$from" ] || { mkdir -p "$at"; mount --rbind "$from" "$at"; } ;;
    lock) mount -o remount,bind,ro "$at" 2> /dev/null || : ;;
  esac
done
shift
PATH=$own
exec "$unshare" --root="$root" --wd="$cwd" -- "$@"
`;

/** `lock` makes read-only, where the kernel allows it. What is gone since the steps were made is left out. */
type Step = [kind: 'dir' | 'link' | 'file' | 'bind' | 'lock', at: string, from: string];

/**
 * What goes between a launcher that can mount and a command line, so that the process sees the mounts at their targets.
 * `root` is an empty folder, `cwd` where the process begins.
 */
export async function namespaceArguments(
  root: string,
  cwd: string,
  mounts: readonly Mount[],
): Promise<string[]> {
  const steps = await viewSteps(mounts);
  return [toolPath('sh'), '-c', enter, 'sh', root, cwd, machinePath, ...steps.flat(), '--'];
}

/**
 * The machine's tree with the mounts in it. A target that the machine has is covered. For one that it lacks, the
 * nearest folder above that it has is made anew, with its entries bound in, so that nothing is made on the machine.
 */
async function viewSteps(mounts: readonly Mount[]): Promise<Step[]> {
  const placed = await Promise.all(
    mounts.map(async (mount) => ({ ...mount, ...(await place(mount.target)) })),
  );
  const lacking = placed.filter(({ exists }) => !exists).map(({ at }) => at);
  // An outer one would cover what was mounted within it before.
  const outerFirst = placed.toSorted((one, other) => depth(one.at) - depth(other.at));
  const own = outerFirst.map(({ source, at, isFile }): Step => [isFile ? 'file' : 'bind', at, source]);
  // Last, since a mount within a read-only one needs a folder there.
  const locks = outerFirst.filter(({ readOnly }) => readOnly).map(({ at }): Step => ['lock', at, '']);
  return [...(await mirror('/', lacking)), ...own, ...locks];
}

function depth(file: string): number {
  return file.split('/').length;
}

/** Where a path is once the links above it are followed: a step that met one would leave the new tree. */
async function place(target: string): Promise<{ at: string; exists: boolean }> {
  const missing: string[] = [];
  for (let above = target; ; above = path.dirname(above)) {
    const real = await realpath(above).catch(() => undefined);
    if (real) return { at: path.join(real, ...missing), exists: missing.length === 0 };
    missing.unshift(path.basename(above));
  }
}

async function mirror(folder: string, lacking: readonly string[]): Promise<Step[]> {
  const entries = await entriesOf(folder);
  const steps = await Promise.all(
    entries.map(async (entry): Promise<Step[]> => {
      const at = path.join(folder, entry.name);
      if (entry.isSymbolicLink()) return [['link', at, await readlink(at)]];
      if (!entry.isDirectory()) return [['file', at, at]];
      const inside = lacking.filter((target) => target.startsWith(`${at}/`));
      if (inside.length === 0) return [['bind', at, at]];
      return [['dir', at, ''], ...(await mirror(at, inside))];
    }),
  );
  return steps.flat();
}

/** None of a folder that this user may not list, such as /root: there is nothing in it that an instance could use. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const denied = error instanceof Error && 'code' in error && /^(EACCES|EPERM)$/.test(String(error.code));
    if (denied) return [];
    throw error;
  }
}

/** Where nothing can be mounted: puts the real path where a text names a mount's, in a URL too. */
export function rewriter(mounts: readonly Mount[]): (text: string) => string {
  const longestFirst = mounts.toSorted((a, b) => b.target.length - a.target.length);
  const replacements = longestFirst.flatMap(({ source, target }): [RegExp, string][] => [
    [wholePath(target), source],
    [wholePath(encodeURIComponent(target)), encodeURIComponent(source)],
  ]);
  return (text) => replacements.reduce((all, [pattern, by]) => all.replace(pattern, () => by), text);
}

function wholePath(text: string): RegExp {
  return new RegExp(`(?<![\\w./-])${text.replace(/[^\w/]/g, '\\$&')}(?![\\w.-])`, 'g');
}
