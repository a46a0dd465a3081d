import { createHash } from 'node:crypto';
import { link, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorMessage, SluiceError } from '../errors.ts';
import { hasCode, makeFolder, sweep, syncFolder, withScratchFile } from './durable-files.ts';
import { withFileMutex } from './mutex.ts';
import { isObjectName, maxObjectBytes, type ObjectStore, type StoredObject } from './object-store.ts';

/**
 * Objects as plain files of a folder, which is made by the first write. A generation is the digest of the
 * bytes; replace and remove compare and write under a mutex between processes, create is an exclusive link.
 */
export function folderStore(folder: string): ObjectStore {
  const root = resolve(folder);
  const scratch = join(root, '.tmp');
  const mutex = join(root, '.mutex');
  let prepared: Promise<void> | undefined;
  const ready = () => {
    prepared ??= prepare(root, scratch);
    return prepared;
  };

  const pathOf = (name: string) => {
    if (!isObjectName(name)) throw new Error(`'${name}' is not a name of a ledger object`);
    return join(root, name);
  };
  const write = async <T>(name: string, act: (path: string) => Promise<T>): Promise<T> => {
    const path = pathOf(name);
    await ready();
    return explained(path, () => act(path));
  };

  return {
    read: (name) => explained(pathOf(name), () => readObject(pathOf(name))),
    create: (name, bytes) =>
      write(name, async (path) => {
        await makeFolder(dirname(path));
        return withScratchFile(scratch, bytes, (temporary) => linkIfAbsent(temporary, path, bytes));
      }),
    replace: (name, generation, bytes) =>
      write(name, (path) =>
        withScratchFile(scratch, bytes, (temporary) =>
          withFileMutex(mutex, async () => {
            if ((await readObject(path))?.generation !== generation) return 'changed';
            await rename(temporary, path);
            await syncFolder(dirname(path));
            return { generation: generationOf(bytes) };
          }),
        ),
      ),
    remove: (name, generation) =>
      write(name, (path) =>
        withFileMutex(mutex, async () => {
          if ((await readObject(path))?.generation !== generation) return 'changed';
          await unlink(path);
          await syncFolder(dirname(path));
          return 'removed';
        }),
      ),
    list: async (prefix) => {
      const parent = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      const entries = await entriesOf(folderOf(root, parent), true);
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
        .filter((name) => name.startsWith(prefix) && isObjectName(name))
        .sort();
    },
    folders: async (prefix) => {
      const entries = await entriesOf(folderOf(root, prefix), false);
      return entries
        .filter((entry) => entry.isDirectory() && isObjectName(entry.name))
        .map((entry) => entry.name)
        .sort();
    },
    where: (name) => pathOf(name),
  };
}

function generationOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

function folderOf(root: string, prefix: string): string {
  if (prefix === '') return root;
  if (!prefix.endsWith('/') || !isObjectName(prefix.slice(0, -1)))
    throw new Error(`'${prefix}' is not a prefix of ledger objects`);
  return join(root, prefix);
}

async function entriesOf(path: string, recursive: boolean) {
  try {
    return await readdir(path, { withFileTypes: true, recursive });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

async function readObject(path: string): Promise<StoredObject | undefined> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > maxObjectBytes)
      throw new Error(`it has ${size} bytes, a ledger object at most ${maxObjectBytes}`);
    const bytes = await file.readFile();
    return { bytes, generation: generationOf(bytes) };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function linkIfAbsent(temporary: string, path: string, bytes: Uint8Array) {
  try {
    await link(temporary, path);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return 'exists';
    throw error;
  }
  await syncFolder(dirname(path));
  return { generation: generationOf(bytes) };
}

async function prepare(root: string, scratch: string): Promise<void> {
  try {
    await makeFolder(scratch);
    await sweep(scratch);
    await withScratchFile(scratch, Buffer.from('*\n'), (temporary) =>
      linkIfAbsent(temporary, join(root, '.gitignore'), Buffer.alloc(0)),
    );
  } catch (error) {
    throw new SluiceError(
      'preflight',
      {
        what: `The ledger folder ${root} cannot be written`,
        why: messageOf(error),
        next: [`make ${root} a folder that you may write to, on a disk with free space`],
      },
      { cause: error },
    );
  }
}

/** What fails after the folder was found writable leaves the record behind the facts: outcome unknown. */
async function explained<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError(
      'unknown',
      {
        what: `The ledger failed at ${path}`,
        why: messageOf(error),
        next: ['free the disk or the folder, then run the command again'],
      },
      { cause: error },
    );
  }
}

function messageOf(error: unknown): string {
  return errorMessage(error);
}
