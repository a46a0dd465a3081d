import { promises as fs } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { createPathsMatcher, getTsconfig } from 'get-tsconfig';
import ignore from 'ignore';
import type { ImportsCheck } from '../../config/check-spec.ts';
import { errorMessage } from '../../errors.ts';
import type { CheckContext } from '../context.ts';
import type { Broken, Imported } from '../imports.ts';
import { candidates, isCode } from './files.ts';
import { readPackages } from './packages.ts';
import { type Import, type Module, parseModule } from './parse.ts';

const limits = { modules: 20_000, bytes: 1024 * 1024 };

/**
 * Resolves every static import of the uploaded JavaScript and TypeScript: a file must be uploaded, a package declared
 * or installed, and a name that is asked of a module of the source must be exported by it.
 */
export async function nodeImports(
  spec: ImportsCheck,
  { program }: CheckContext,
  signal: AbortSignal,
): Promise<Imported> {
  const root = program.sourceDir;
  const files = await program.sourceFiles();
  const within = posix.normalize(spec.dir);
  const skipped = ignore().add(spec.ignore);
  const inDir = (path: string) => posix.relative(within, path);
  const isIgnored = (path: string) => {
    const inner = inDir(path);
    return inner !== '' && !inner.startsWith('../') && skipped.ignores(inner);
  };
  const paths = files.filter((path) => isCode(path) && !inDir(path).startsWith('../') && !isIgnored(path));
  if (paths.length === 0)
    return { looked: '', broken: [`${spec.dir} has no file of JavaScript or TypeScript that is uploaded`] };
  if (paths.length > limits.modules)
    throw new Error(`the source has ${paths.length} modules; narrow \`dir\` or \`ignore\``);

  const { modules, unparsed } = await parseAll(root, paths, signal);
  const tree: Tree = {
    root,
    files: new Set(files),
    modules,
    isIgnored,
    packages: await readPackages(root, files),
    aliases: aliases(root),
  };
  const broken = [...unparsed];
  let imports = 0;
  for (const [path, module] of modules) {
    for (const one of module.imports) {
      imports += 1;
      const why = await whyBroken(tree, path, one);
      if (why !== undefined) broken.push(`${path}:${one.line} imports "${one.specifier}": ${why}`);
    }
  }
  return { looked: `${imports} imports of ${modules.size} modules resolve`, broken };
}

async function parseAll(
  root: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<{ modules: Map<string, Module>; unparsed: Broken[] }> {
  const modules = new Map<string, Module>();
  const unparsed: Broken[] = [];
  for (const path of paths) {
    signal.throwIfAborted();
    const text = await fs.readFile(join(root, path), 'utf8');
    // What is that big was generated.
    if (text.length > limits.bytes) continue;
    try {
      modules.set(path, parseModule(path, text));
    } catch (error) {
      unparsed.push(`${path}${lineOf(error)} does not parse: ${errorMessage(error)}`);
    }
  }
  return { modules, unparsed };
}

function lineOf(error: unknown): string {
  if (!(error instanceof Error) || !('loc' in error)) return '';
  const { loc } = error;
  return typeof loc === 'object' && loc !== null && 'line' in loc ? `:${String(loc.line)}` : '';
}

type Tree = {
  root: string;
  files: ReadonlySet<string>;
  modules: ReadonlyMap<string, Module>;
  isIgnored(path: string): boolean;
  packages: Awaited<ReturnType<typeof readPackages>>;
  /** Where tsconfig's `paths` and `baseUrl` may lead, from a module. */
  aliases(importer: string, specifier: string): string[];
};

async function whyBroken(
  tree: Tree,
  importer: string,
  { specifier, names }: Import,
): Promise<string | undefined> {
  const plain = specifier.replace(/[?#].*$/, '') || specifier;
  const isRelative = /^\.\.?(\/|$)/.test(plain);
  // Another scheme or an absolute path is for a bundler or a loader to know.
  if (!isRelative && (/^[a-z][a-z0-9+.-]+:/i.test(specifier) || plain.startsWith('/'))) return undefined;
  const meant = isRelative ? [posix.join(posix.dirname(importer), plain)] : tree.aliases(importer, specifier);
  const target = meant.flatMap(candidates).find((path) => tree.files.has(path));
  if (target !== undefined) return whyNotExported(tree, target, names);
  if (meant.some((path) => candidates(path).some(tree.isIgnored))) return undefined;
  if (!isRelative) return tree.packages.whyMissing(specifier, importer);
  const [base = ''] = meant;
  if (base.startsWith('../')) return 'it is outside of the source, which alone is uploaded';
  const local = await firstOnDisk(tree.root, candidates(base));
  return local === undefined
    ? 'no such file'
    : `${local} is here, but is not uploaded (see .gcloudignore and .gitignore)`;
}

async function firstOnDisk(root: string, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await fs.stat(join(root, path)).catch(() => undefined);
    if (found?.isFile()) return path;
  }
  return undefined;
}

function whyNotExported(tree: Tree, target: string, names: readonly string[]): string | undefined {
  const missing = names.filter((name) => exporting(tree, target, name, new Set()) === 'no');
  return missing.length === 0 ? undefined : `${target} does not export ${missing.join(', ')}`;
}

/** A module of CommonJS, of another language or of a package keeps its exports to itself. */
function exporting(tree: Tree, path: string, name: string, seen: Set<string>): 'yes' | 'no' | 'unknown' {
  const exports = tree.modules.get(path)?.exports;
  if (!exports) return 'unknown';
  if (exports.names.has(name)) return 'yes';
  if (name === 'default' || seen.has(path)) return 'no';
  seen.add(path);
  const answers = exports.from.map((specifier) => {
    const base = posix.join(posix.dirname(path), specifier);
    const next = specifier.startsWith('.') ? candidates(base).find((one) => tree.files.has(one)) : undefined;
    return next === undefined ? 'unknown' : exporting(tree, next, name, seen);
  });
  return answers.find((answer) => answer === 'yes') ?? answers.find((answer) => answer === 'unknown') ?? 'no';
}

/** Reads each tsconfig once; one that cannot be read gives no aliases. */
function aliases(root: string): Tree['aliases'] {
  const cache = new Map();
  return (importer, specifier) => {
    try {
      const folder = join(root, posix.dirname(importer));
      const config =
        getTsconfig(folder, 'tsconfig.json', cache) ?? getTsconfig(folder, 'jsconfig.json', cache);
      const found = config && createPathsMatcher(config)?.(specifier);
      return (found ?? []).map((path) => posix.normalize(relative(root, path).replaceAll('\\', '/')));
    } catch {
      return [];
    }
  };
}
