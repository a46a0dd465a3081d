import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** The machine's search path. An application has its own, in which the tools that start it need not be. */
export const machinePath = process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';

/** The full path of a tool of the machine; its bare name, which cannot be executed, where it has none. */
export function toolPath(name: string): string {
  const candidates = machinePath.split(path.delimiter).map((folder) => path.resolve(folder, name));
  return candidates.find(isExecutable) ?? name;
}

/** Is it a file that this user may run? */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
