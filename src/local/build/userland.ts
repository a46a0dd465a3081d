import { readlinkSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { findProgram } from './npm.ts';
import { type ProcessResult, type RunOptions, runProcess } from './process.ts';

/** What a process of a build sees as its file system. */
export type View = {
  /** Laid over this machine's system folders: what the process writes anywhere else stays in here. */
  root: string;
  /** An empty folder on the same file system; gone with the build. */
  scratch: string;
  /** As the process sees it. */
  cwd: string;
  binds: { from: string; to: string }[];
};

type Command = readonly [string, ...string[]];

/**
 * How a build's processes are run: as in a container, with a root of their own over this machine's system, where the
 * kernel allows it (Linux namespaces and overlayfs); elsewhere just in the right folder.
 */
export type Userland = {
  /** Whether a process sees the paths of its view, or this machine's. */
  isolated: boolean;
  run(view: View, command: Command, options: Omit<RunOptions, 'cwd'>): Promise<ProcessResult>;
  /** What a path of the view is called by its processes. */
  seen(view: View, file: string): string;
};

/** `$1` root, `$2` scratch, `$3` mount options, `$4` cwd, `$5` number of binds, then FROM and TO of each, then the command. */
const enterScript = `set -e
root=$1 scratch=$2 options=$3 cwd=$4 binds=$5
shift 5
new=$scratch/new
mkdir -p "$new" "$scratch/tmp"
mount --bind "$root" "$new"
for name in usr etc opt bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ] && { [ -L "$new/$name" ] || [ ! -e "$new/$name" ]; }; then
    [ -L "$new/$name" ] || ln -s "$(readlink "/$name")" "$new/$name"
  elif [ -d "/$name" ]; then
    mkdir -p "$new/$name" "$scratch/over/$name"
    mount -t overlay overlay -o "lowerdir=/$name,upperdir=$root/$name,workdir=$scratch/over/$name$options" "$new/$name"
  fi
done
mkdir -p "$new/proc" "$new/dev" "$new/tmp"
mount -t proc proc "$new/proc" 2>/dev/null || mount --rbind /proc "$new/proc"
mount --rbind /dev "$new/dev"
mount --bind "$scratch/tmp" "$new/tmp"
while [ "$binds" -gt 0 ]; do
  if [ -d "$1" ]; then mkdir -p "$new$2"; else mkdir -p "$(dirname "$new$2")"; [ -e "$new$2" ] || : > "$new$2"; fi
  mount --rbind "$1" "$new$2"
  shift 2
  binds=$((binds - 1))
done
exec chroot "$new" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$cwd" "$@"
`;

const systemFolders = ['usr', 'etc', 'opt', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
const mountpoints = [...systemFolders, 'proc', 'dev', 'tmp'];

/** With both, the kernel ends every process of the command when its first one ends, or the local cloud does. */
const tied = ['setpriv', '--pdeathsig', 'SIGKILL', '--', 'unshare'];
const spaces = ['--mount', '--pid', '--fork', '--kill-child', '--'];
const launchers = [
  { launcher: [...tied, ...spaces], options: '' },
  { launcher: [...tied, '--user', '--map-root-user', ...spaces], options: ',userxattr' },
];
type Launcher = (typeof launchers)[number];

/** The best that this machine allows; found out once, for folders like this one. */
export async function findUserland(folder: string): Promise<Userland> {
  // They would end the mount option that holds them.
  if (process.platform !== 'linux' || /[,:\\]/.test(folder)) return plain;
  for (const launcher of launchers) if (await works(launcher, folder)) return isolatedBy(launcher);
  return plain;
}

async function works(launcher: Launcher, folder: string): Promise<boolean> {
  const trial = await mkdtemp(path.join(folder, 'trial-'));
  const view = { root: path.join(trial, 'root'), scratch: path.join(trial, 'scratch'), cwd: '/', binds: [] };
  const options = { env: {}, signal: AbortSignal.timeout(5000), onLine: () => {} };
  const result = await isolatedBy(launcher).run(view, ['sh', '-c', 'exit 7'], options);
  await rm(trial, { recursive: true, force: true });
  return result.kind === 'exited' && result.code === 7;
}

function isolatedBy({ launcher: [file = '', ...launcher], options: mountOptions }: Launcher): Userland {
  return {
    isolated: true,
    seen: (_view, name) => name,
    async run(view, command, options) {
      const { root, scratch, cwd } = view;
      const binds = [...view.binds, ...toolFolders()];
      await Promise.all([root, scratch].map((folder) => mkdir(folder, { recursive: true })));
      const pairs = binds.flatMap(({ from, to }) => [from, to]);
      const script = ['sh', '-c', enterScript, 'sh', root, scratch, mountOptions, cwd, String(binds.length)];
      const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...options.env };
      try {
        return await runProcess([file, ...launcher, ...script, ...pairs, ...command], {
          ...options,
          env,
          cwd: root,
        });
      } finally {
        await removeMountpoints(root, [...mountpoints, ...binds.map(({ to }) => to.slice(1))]);
        await rm(scratch, { recursive: true, force: true });
      }
    },
  };
}

const plain: Userland = {
  isolated: false,
  seen: pathOnHost,
  run: (view, command, options) => runProcess(command, { ...options, cwd: pathOnHost(view, view.cwd) }),
};

/** Where a file of the view lies on this machine. */
export function pathOnHost({ root, binds }: View, file: string): string {
  const bind = binds.find(({ to }) => file === to || file.startsWith(`${to}/`));
  return bind ? path.join(bind.from, file.slice(bind.to.length)) : path.join(root, file);
}

/** What was only there to be mounted on is no content. */
async function removeMountpoints(root: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const link = linkOf(`/${name}`);
    if (link !== undefined && linkOf(path.join(root, name)) === link) await rm(path.join(root, name));
    for (let folder = name; folder !== '.' && folder !== ''; folder = path.dirname(folder)) {
      const removed = await rmdir(path.join(root, folder)).then(
        () => true,
        () => false,
      );
      if (!removed) break;
    }
  }
}

/** Folders outside of the system's own that hold Node, npm or Python; each is seen where it is. */
function toolFolders(): { from: string; to: string }[] {
  const files = [
    process.execPath,
    ...['npm', 'python3', 'python'].flatMap((name) => findProgram(name) ?? []),
  ];
  const folders = files.flatMap((file) => [folderOf(file), folderOf(realpathSync(file))]);
  return [...new Set(folders)]
    .filter(
      (folder) => !systemFolders.some((name) => folder.startsWith(`/${name}/`) || folder === `/${name}`),
    )
    .map((folder) => ({ from: folder, to: folder }));
}

/** The installation that a program is of (`PREFIX/bin/node`), but never somebody's home or more. */
function folderOf(program: string): string {
  const prefix = path.dirname(path.dirname(program));
  const shared = [homedir(), tmpdir(), '/'].some(
    (folder) => folder === prefix || folder.startsWith(`${prefix}/`),
  );
  return shared ? path.dirname(program) : prefix;
}

function linkOf(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
