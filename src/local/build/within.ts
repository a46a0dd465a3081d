import { realpath } from 'node:fs/promises';
import path from 'node:path';

/** Whether a path is that of the folder or lies below it; both as `realpath` gives them. */
export function isWithin(folder: string, file: string): boolean {
  return file === folder || file.startsWith(folder + path.sep);
}

/** Whether what is at `file` lies in the folder once every link on the way is followed. Throws when nothing is there. */
export async function isReallyWithin(folder: string, file: string): Promise<boolean> {
  return isWithin(await realpath(folder), await realpath(file));
}
