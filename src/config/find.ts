import { open, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { SluiceError } from '../errors.ts';

export const configName = 'sluice.yaml';
const maxBytes = 1024 * 1024;

export type FoundFile = { path: string; text: string };

/** No file where one was looked for; a file that is there and wrong is another matter. */
export class NoConfigError extends SluiceError {
  constructor(what: string, why?: string) {
    super('usage', {
      what,
      ...(why === undefined ? {} : { why }),
      next: [
        'sluice init --template chat   (a sample to begin with)',
        'sluice … --dir FOLDER or --config FILE',
      ],
    });
  }
}

/** The file that was named, or the nearest sluice.yaml from `dir` upwards. */
export async function findConfig(where: { file?: string; dir: string; cwd: string }): Promise<FoundFile> {
  if (where.file !== undefined) {
    const path = resolve(where.cwd, where.file);
    const text = await readBounded(path);
    if (text === undefined) throw new NoConfigError(`There is no config file ${path}.`);
    return { path, text };
  }
  const dir = resolve(where.cwd, where.dir);
  if (!(await isFolder(dir))) throw new NoConfigError(`There is no folder ${dir}.`);
  const folders = upwards(dir);
  for (const folder of folders) {
    const path = join(folder, configName);
    const text = await readBounded(path);
    if (text !== undefined) return { path, text };
  }
  throw new NoConfigError(`There is no ${configName} here.`, `Looked in ${folders.join(', ')}.`);
}

/** A path as a person in `cwd` would type it. */
export function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function upwards(dir: string): string[] {
  const parent = dirname(dir);
  return parent === dir ? [dir] : [dir, ...upwards(parent)];
}

async function readBounded(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    const stat = await file.stat();
    if (!stat.isFile()) throw unreadable(path, 'It is not a file.');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
    if (bytesRead > maxBytes) throw unreadable(path, 'It is larger than 1 MiB, which no config is.');
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(path, error instanceof TypeError ? 'It is not UTF-8 text.' : `The system says ${code}.`);
  }
}

function unreadable(path: string, why: string): SluiceError {
  return new SluiceError('usage', { what: `${path} cannot be read.`, why });
}
