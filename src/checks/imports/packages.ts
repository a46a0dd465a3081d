import { promises as fs } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { z } from 'zod';

const names = z.record(z.string(), z.unknown()).catch({});

const manifestSchema = z.object({
  name: z.string().catch(''),
  dependencies: names,
  devDependencies: names,
  peerDependencies: names,
  optionalDependencies: names,
  imports: names,
});

type Manifest = { name: string; packages: Set<string>; imports: string[] };

/** Answers why a specifier names no package that the source could have, or undefined. */
export type Packages = { whyMissing(specifier: string, importer: string): Promise<string | undefined> };

/**
 * Judges package specifiers by the source's package.json files, and by what is installed in its node_modules:
 * nothing needs to be installed. `files` are the uploaded paths under `root`.
 */
export async function readPackages(root: string, files: readonly string[]): Promise<Packages> {
  const manifests = new Map<string, Manifest>();
  for (const file of files) {
    if (posix.basename(file) !== 'package.json') continue;
    manifests.set(posix.dirname(file), manifestOf(await fs.readFile(join(root, file), 'utf8')));
  }
  const workspaces = new Set([...manifests.values()].map(({ name }) => name).filter(Boolean));
  const installed = new Map<string, Promise<boolean>>();
  const isInstalled = (folder: string, name: string): Promise<boolean> => {
    const path = join(root, folder, 'node_modules', name);
    const known =
      installed.get(path) ??
      fs.stat(path).then(
        () => true,
        () => false,
      );
    installed.set(path, known);
    return known;
  };
  return {
    async whyMissing(specifier, importer) {
      const folders = foldersAbove(importer);
      const above = folders.flatMap((folder) => manifests.get(folder) ?? []);
      if (specifier.startsWith('#')) {
        const known = above[0]?.imports.some((key) => matchesKey(key, specifier)) ?? false;
        return known ? undefined : 'package.json has no such key under `imports`';
      }
      const name = packageName(specifier);
      // `@/x` and `~/x` name no package: some bundler knows what they mean.
      if (name === undefined || isBuiltin(specifier)) return undefined;
      if (workspaces.has(name) || above.some(({ packages }) => packages.has(name))) return undefined;
      for (const folder of folders) if (await isInstalled(folder, name)) return undefined;
      return above.length > 0
        ? `${name} is not in the dependencies of package.json`
        : `there is no package.json, and ${name} is not installed`;
    },
  };
}

function manifestOf(text: string): Manifest {
  const { name, imports, ...kinds } = manifestSchema.parse(parsed(text));
  const { dependencies, devDependencies, peerDependencies, optionalDependencies } = kinds;
  const all = [dependencies, devDependencies, peerDependencies, optionalDependencies];
  // A declared `@types/x` is the declaration of types alone: it brings no x.
  return { name, packages: new Set(all.flatMap(Object.keys)), imports: Object.keys(imports) };
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** `a/b/c.js` → `a/b`, `a`, `.`: where Node looks for packages, nearest first. */
function foldersAbove(path: string): string[] {
  const folder = posix.dirname(path);
  return folder === '.' ? ['.'] : [folder, ...foldersAbove(folder)];
}

/** `#db/*` matches `#db/store`. */
function matchesKey(key: string, specifier: string): boolean {
  const [head = '', tail] = key.split('*');
  return tail === undefined ? key === specifier : specifier.startsWith(head) && specifier.endsWith(tail);
}

/** `@scope/name/deep` → `@scope/name`; undefined when it cannot be one of npm. */
function packageName(specifier: string): string | undefined {
  return /^(@[a-z0-9~-][\w.~-]*\/[\w.~-]+|[a-z0-9][\w.-]*)(?=\/|$)/i.exec(specifier)?.[0];
}
