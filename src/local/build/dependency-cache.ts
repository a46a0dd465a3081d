import { createHash, randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { PackageJson } from './package-json.ts';

const maxKept = 8;
const installHooks = [
  'preinstall',
  'install',
  'postinstall',
  'prepublish',
  'preprepare',
  'prepare',
  'postprepare',
];

/** Installed `node_modules`, by what they were installed from; the least used go. */
export class DependencyCache {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The same key means the same `node_modules`; undefined when that cannot be known beforehand. */
  async keyOf(
    root: string,
    manifest: PackageJson,
    lockfile: string,
    mode: string,
  ): Promise<string | undefined> {
    const lock = await readFile(path.join(root, lockfile), 'utf8');
    const varies =
      manifest.workspaces !== undefined ||
      /"link":\s*true|"file:/.test(lock) ||
      installHooks.some((hook) => hook in manifest.scripts);
    if (varies) return undefined;
    const npmrc = path.join(root, '.npmrc');
    const inputs = [
      await readFile(path.join(root, 'package.json'), 'utf8'),
      lock,
      existsSync(npmrc) ? await readFile(npmrc, 'utf8') : '',
      mode,
      process.version,
      `${process.platform}-${process.arch}`,
    ];
    return createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
  }

  /** Puts a kept `node_modules` in place. False when there is none. */
  async restore(key: string, root: string): Promise<boolean> {
    const kept = path.join(this.folder, key);
    if (!existsSync(kept)) return false;
    await copyModules(kept, root);
    const now = new Date();
    await utimes(kept, now, now);
    return true;
  }

  async keep(key: string, root: string): Promise<void> {
    const made = path.join(this.folder, `tmp-${randomUUID()}`);
    await mkdir(made, { recursive: true });
    try {
      await copyModules(root, made);
      await rename(made, path.join(this.folder, key));
    } catch {
      // Another build kept the same first, or the disk is full: then there is just no cache.
    }
    await rm(made, { recursive: true, force: true });
    await this.dropOldest();
  }

  private async dropOldest(): Promise<void> {
    const names = await readdir(this.folder);
    const times = await Promise.all(names.map((name) => lastUse(path.join(this.folder, name))));
    const oldest = names
      .map((name, index) => ({ name, time: times[index] ?? 0 }))
      .sort((a, b) => b.time - a.time)
      .slice(maxKept);
    for (const { name } of oldest) await rm(path.join(this.folder, name), { recursive: true, force: true });
  }
}

async function lastUse(folder: string): Promise<number> {
  return stat(folder).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

async function copyModules(from: string, to: string): Promise<void> {
  const modules = path.join(from, 'node_modules');
  const target = path.join(to, 'node_modules');
  await rm(target, { recursive: true, force: true });
  if (!existsSync(modules)) return;
  await cp(modules, target, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
}
