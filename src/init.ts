import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { configName, shownPath } from './config/find.ts';
import { nearest } from './config/problem.ts';
import { SluiceError } from './errors.ts';

export type InitOptions = {
  /** A folder under `templates/` with a sluice.yaml, such as `chat`. */
  template: string;
  /** Where the files go, absolute or relative to `cwd`; made if it is not there. */
  into: string;
  cwd: string;
  /** The folder of Sluice's own package.json. */
  packageRoot: string;
};

export type InitResult = {
  template: string;
  folder: string;
  /** As a person in `cwd` would type them, sorted. */
  written: string[];
  /** What to type next. */
  next: string[];
};

/** npm takes no .gitignore into a package, so templates carry it without its dot. */
const renamed: Readonly<Record<string, string>> = { gitignore: '.gitignore' };
const skipped = new Set(['node_modules', '.sluice']);

/** Copies a template into a folder. Writes nothing if a single file would be overwritten. */
export async function initFromTemplate(options: InitOptions): Promise<InitResult> {
  const { template, cwd, packageRoot } = options;
  const from = await templateFolder(template, join(packageRoot, 'templates'));
  const folder = resolve(cwd, options.into);
  const copies = (await filesUnder(from)).map((name) => ({
    source: join(from, name),
    target: join(folder, renamed[name] ?? name),
  }));
  await refuseToOverwrite(
    copies.map(({ target }) => target),
    cwd,
  );

  for (const { source, target } of copies) {
    const content = await readFile(source);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, isConfig(target) ? withSchema(content, target, packageRoot) : content, {
      flag: 'wx',
    });
  }
  const shown = shownPath(folder, cwd);
  const dir = folder === resolve(cwd) ? '' : ` --dir ${shown}`;
  return {
    template,
    folder,
    written: copies.map(({ target }) => shownPath(target, cwd)).sort(),
    next: [`sluice deploy staging --local${dir}`],
  };
}

async function templateFolder(template: string, root: string): Promise<string> {
  const entries = await readdir(root, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async ({ name }) => ((await exists(join(root, name, configName))) ? [name] : [])),
  );
  const templates = found.flat().sort();
  if (templates.includes(template)) return join(root, template);
  const suggestion = nearest(template, templates);
  throw new SluiceError('usage', {
    what: `There is no template "${template}".`,
    why: `There is ${templates.join(', ')}.`,
    next: [`sluice init --template ${suggestion ?? templates[0] ?? 'chat'}`],
  });
}

async function filesUnder(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((name) => !name.split(sep).some((part) => skipped.has(part)));
}

async function refuseToOverwrite(targets: readonly string[], cwd: string): Promise<void> {
  const there = await Promise.all(targets.map(async (target) => ((await exists(target)) ? [target] : [])));
  const taken = there.flat().map((target) => shownPath(target, cwd));
  if (taken.length === 0) return;
  throw new SluiceError('usage', {
    what: 'Nothing was written, because these files are there already:',
    why: taken.map((name) => `  ${name}`).join('\n'),
    next: ['sluice init --template chat --dir FOLDER   (a folder of its own)'],
  });
}

const isConfig = (target: string): boolean => target.endsWith(`${sep}${configName}`);

/** Points the first line, which editors read, at the schema of this very Sluice. */
function withSchema(content: Buffer, target: string, packageRoot: string): string {
  const schema = relative(dirname(target), join(packageRoot, 'sluice.schema.json')).split(sep).join('/');
  return content
    .toString('utf8')
    .replace(/^(# yaml-language-server: \$schema=).*$/m, (_, start) => `${start}${schema}`);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
