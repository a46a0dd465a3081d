import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const fileName = 'process.json';
const recordSchema = z.strictObject({ pid: z.int().min(2), birth: z.string().min(1) });

/** Remembers an instance's process group, so that a successor can end it if this process dies. */
export async function recordProcess(folder: string, pid: number): Promise<void> {
  const birth = await birthOf(pid);
  if (birth) await writeFile(path.join(folder, fileName), JSON.stringify({ pid, birth }));
}

/** Ends what a crashed predecessor left running under `instances`, and removes the folders. */
export async function endOrphans(instances: string): Promise<void> {
  const names = await readdir(instances).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const folder = path.join(instances, name);
      await endRecordedProcess(folder);
      await removeFolder(folder);
    }),
  );
}

/** Ends what a crashed predecessor recorded in a folder, if it runs still. */
export async function endRecordedProcess(folder: string): Promise<void> {
  const record = await readRecord(folder);
  // A pid alone proves nothing: it may be somebody else's by now.
  if (record && (await birthOf(record.pid)) === record.birth) signalGroup(record.pid, 'SIGKILL');
}

/** Signals a whole process group. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone already; macOS says EPERM of a group whose leader is not reaped yet.
  }
}

/** A dying process may still write into it, therefore the retries. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

async function readRecord(folder: string): Promise<z.infer<typeof recordSchema> | undefined> {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(await readFile(path.join(folder, fileName), 'utf8')));
    return parsed.data;
  } catch {
    return undefined;
  }
}

/** When a process began, in words that no other process with its pid shares; undefined if there is none. */
async function birthOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform !== 'linux') {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
      return stdout.trim() || undefined;
    }
    const [boot, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // Field 22 is the start in clock ticks since boot; the name in field 2 may hold spaces and parentheses.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${boot.trim()} ${ticks}`;
  } catch {
    return undefined;
  }
}
