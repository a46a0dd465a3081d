import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import ignore from 'ignore';
import { z } from 'zod';
import type { ImportsCheck } from '../../config/check-spec.ts';
import type { CheckContext } from '../context.ts';
import type { Broken, Imported } from '../imports.ts';
import { deadlineIn, type ProgramEnd, runProgram } from '../program.ts';
import { endOf } from '../text.ts';
import { pythonScript } from './python-script.ts';

/** Imports every uploaded module of the packages in a Python of its own, and tells the innermost cause of each failure. */
export async function pythonImports(
  spec: ImportsCheck,
  context: CheckContext,
  signal: AbortSignal,
): Promise<Imported> {
  const files = await context.program.sourceFiles();
  const inDir = new Set(files.map((path) => posix.relative(posix.normalize(spec.dir), path)));
  const todo = spec.packages.map((name) => modulesOf(name, inDir, spec.ignore));
  const absent = spec.packages.filter((_, index) => todo[index]?.length === 0);
  if (absent.length > 0)
    return { looked: '', broken: absent.map((name) => `${spec.dir} has no module ${name} that is uploaded`) };
  const modules = todo.flat();
  const { end, facts } = await run(spec, modules, context);
  signal.throwIfAborted();
  const broken = [...causes(facts), ...unfinished(end, facts), ...notUploaded(facts, inDir, spec)];
  return { looked: `${modules.length} modules of ${spec.packages.join(', ')} import`, broken };
}

type Named = [module: string, path: string];

/** What `pkgutil.walk_packages` would find, without importing anything; never a `__main__`, which would run. */
function modulesOf(name: string, files: ReadonlySet<string>, ignored: readonly string[]): Named[] {
  const base = name.replaceAll('.', '/');
  const skipped = ignore().add([...ignored]);
  const isPackage = (folder: string): boolean =>
    folder === base || (files.has(`${folder}/__init__.py`) && isPackage(posix.dirname(folder)));
  return [...files]
    .filter((path) => path === `${base}.py` || (path.startsWith(`${base}/`) && path.endsWith('.py')))
    .filter((path) => path === `${base}.py` || isPackage(posix.dirname(path)))
    .filter((path) => posix.basename(path) !== '__main__.py' && !skipped.ignores(path))
    .map((path): Named => [path.replace(/(\/__init__)?\.py$/, '').replaceAll('/', '.'), path])
    .filter(([module]) => /^[\w.]+$/.test(module) && !/(^|\.)\d/.test(module))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

const factSchema = z.union([
  z.object({ begin: z.string() }),
  z.object({ module: z.string(), cause: z.string(), file: z.string(), line: z.number() }),
  z.object({ done: z.literal(true), loaded: z.array(z.string()) }),
]);

type Fact = z.infer<typeof factSchema>;

async function run(
  spec: ImportsCheck,
  modules: readonly Named[],
  context: CheckContext,
): Promise<{ end: ProgramEnd; facts: Fact[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-imports-'));
  try {
    const [todo, report] = [join(folder, 'todo.json'), join(folder, 'facts.ndjson')];
    await writeFile(todo, JSON.stringify(modules));
    const command = [...spec.python, '-c', pythonScript, todo, report];
    const end = await runProgram(spec, { command, deadline: deadlineIn(spec.timeoutSeconds) }, context);
    const text = await readFile(report, 'utf8').catch(() => '');
    const facts = end.redact(text).split('\n').flatMap(factIn);
    return { end, facts };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A line that was cut when the process died says nothing. */
function factIn(line: string): Fact[] {
  try {
    const fact = factSchema.safeParse(JSON.parse(line));
    return fact.success ? [fact.data] : [];
  } catch {
    return [];
  }
}

/** One line a cause: a single missing name may break every module that imports it. */
function causes(facts: readonly Fact[]): Broken[] {
  const failed = facts.flatMap((fact) => ('cause' in fact ? [fact] : []));
  const byCause = Map.groupBy(failed, ({ cause, file, line }) => `${file ? `${file}:${line} ` : ''}${cause}`);
  return [...byCause].map(([cause, of]) => {
    const [first] = of;
    return of.length === 1
      ? `${cause} (importing ${first?.module})`
      : `${cause} (importing ${first?.module} and ${of.length - 1} more)`;
  });
}

/** Without its last fact it never came to an end: the module that was begun last ended it, or kept it. */
function unfinished(end: ProgramEnd, facts: readonly Fact[]): Broken[] {
  if (facts.some((fact) => 'done' in fact)) return [];
  const begun = facts.findLast((fact) => 'begin' in fact);
  const why = end.why || `Python exited with ${end.exitCode}`;
  return [begun ? `importing ${begun.begin}: ${why}${endOf(end.tail)}` : `${why}${endOf(end.tail)}`];
}

/** Imports work here by files that the image will not have. */
function notUploaded(
  facts: readonly Fact[],
  files: ReadonlySet<string>,
  { packages, ignore: skipped }: ImportsCheck,
): Broken[] {
  const bases = packages.map((name) => name.split('.')[0] ?? name);
  const ignored = ignore().add([...skipped]);
  return facts
    .flatMap((fact) => ('done' in fact ? fact.loaded : []))
    .filter((path) => bases.some((base) => path === `${base}.py` || path.startsWith(`${base}/`)))
    .filter((path) => !files.has(path) && !ignored.ignores(path))
    .map((path) => `${path} is imported, but is not uploaded (see .gcloudignore and .gitignore)`);
}
