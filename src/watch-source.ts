import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { packSource } from './release/source.ts';

/** Writes that come together (an editor's, a checkout's) are one change. */
const settleMs = 300;

const unwatched = new Set(['node_modules', '.sluice', '.git']);

export type SourceWatch = {
  /** Resolves with what changed, once what would be deployed is another than at the last call. Rejects on abort. */
  next(signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
};

/**
 * Watches source folders and config files for saved changes, and their repositories for commits. What a run itself
 * writes there (a test's report that is not part of the upload) is no change.
 */
export async function watchSource(watched: { folders: string[]; files: string[] }): Promise<SourceWatch> {
  const { watch } = await import('chokidar');
  const roots = [...new Set(watched.folders.map((folder) => resolve(folder)))];
  const logs = (await Promise.all(roots.map(commitLog))).filter((log) => log !== undefined);
  const files = [...new Set([...watched.files, ...logs])];
  const heard = new EventTarget();
  let changed = '';
  const watcher = watch([...roots, ...files], {
    ignoreInitial: true,
    ignored: (path) => !files.includes(path) && below(path, roots).some((part) => unwatched.has(part)),
  });
  watcher.on('all', (_, path) => {
    changed = logs.includes(path) ? 'a commit' : path;
    heard.dispatchEvent(new Event('change'));
  });
  await new Promise<void>((done, failed) => watcher.once('ready', done).once('error', failed));
  let known = await fingerprint(roots, files);
  return {
    close: () => watcher.close(),
    async next(signal) {
      for (;;) {
        // What changed while a deploy ran is told by no event any more, but by the fingerprint.
        const now = await fingerprint(roots, files);
        if (now !== known) {
          known = now;
          return changed;
        }
        await quietAfterChange(heard, signal);
      }
    },
  };
}

async function quietAfterChange(heard: EventTarget, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((done, failed) => {
    let timer: NodeJS.Timeout | undefined;
    const end = new AbortController();
    heard.addEventListener(
      'change',
      () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          end.abort();
          done();
        }, settleMs);
      },
      { signal: end.signal },
    );
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        end.abort();
        failed(signal.reason);
      },
      { once: true, signal: end.signal },
    );
  });
}

/** What decides a deploy: the sources as they would be uploaded, the config, the commits. */
async function fingerprint(roots: readonly string[], files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const root of roots) {
    // A source that cannot be packed right now (a file was just removed) is a state like any other.
    hash.update(await packSource(root, AbortSignal.timeout(60_000)).then(({ hash }) => hash, String));
  }
  for (const file of files) hash.update(await readFile(file).catch(() => ''));
  return hash.digest('hex');
}

/** Every commit, checkout and rebase adds a line to it; undefined outside a repository. */
async function commitLog(folder: string): Promise<string | undefined> {
  const git = promisify(execFile)('git', ['-C', folder, 'rev-parse', '--absolute-git-dir'], {
    timeout: 5_000,
  });
  return git.then(
    ({ stdout }) => join(stdout.trim(), 'logs', 'HEAD'),
    () => undefined,
  );
}

function below(path: string, roots: readonly string[]): string[] {
  const root = roots.find((folder) => path.startsWith(folder + sep));
  return root === undefined ? [] : path.slice(root.length + 1).split(sep);
}
