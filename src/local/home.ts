import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { idleTimeoutSchema } from './control.ts';
import { LocalCloudError } from './errors.ts';
import { latencySchema } from './latency/profile.ts';

const markerName = 'local-cloud.json';
const markerSchema = z.object({
  format: z.literal(2),
  port: z.int().optional(),
  latency: latencySchema.optional(),
  idleTimeout: idleTimeoutSchema.optional(),
});
type Marker = z.infer<typeof markerSchema>;

/** `$SLUICE_HOME`, or the platform's folder for state. */
export function defaultHome(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (env['SLUICE_HOME']) return path.resolve(env['SLUICE_HOME']);
  if (platform === 'darwin') return path.join(homedir(), 'Library', 'Application Support', 'sluice');
  if (platform === 'win32') return path.join(env['LOCALAPPDATA'] ?? homedir(), 'sluice');
  return path.join(env['XDG_STATE_HOME'] ?? path.join(homedir(), '.local', 'state'), 'sluice');
}

/** Makes the folder, or takes one that a local cloud made; never one that holds something else. */
export function openHome(home: string): Marker {
  try {
    return takeHome(home);
  } catch (error) {
    throw error instanceof LocalCloudError ? error : notUsable(home, error);
  }
}

function takeHome(home: string): Marker {
  makeFolder(home);
  const file = path.join(home, markerName);
  if (existsSync(file)) return readMarker(file);
  // Somebody else may be writing the marker in this very moment.
  const foreign = readdirSync(home).filter((entry) => !entry.startsWith(markerName));
  if (existsSync(file)) return readMarker(file);
  if (foreign.length > 0) throw notAHome(home);
  closeToOthers(home);
  const marker: Marker = { format: 2 };
  writeFileAtomic.sync(file, JSON.stringify(marker));
  return marker;
}

/** It will hold secrets, in files that instances read: the folder is what keeps other users out. */
function closeToOthers(home: string): void {
  const { uid, mode } = statSync(home);
  if (uid === process.getuid?.()) chmodSync(home, mode & 0o700);
}

/** Not by `recursive`: Node 24 tries for ever where a parent exists that takes no folders, such as /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  try {
    makeFolder(path.dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have made it in this very moment.
    if (existsSync(folder)) return;
    if (error instanceof LocalCloudError) throw error;
    throw new LocalCloudError({
      what: `The local cloud cannot make its folder ${folder}.`,
      why: error instanceof Error ? error.message : String(error),
      next: ['set SLUICE_HOME to a folder that can be written'],
    });
  }
}

/** For the next start: the port, so that printed URLs and bookmarks stay right, and what `local start` was told. */
export async function remember(home: string, patch: Omit<Marker, 'format'>): Promise<void> {
  const file = path.join(home, markerName);
  await writeFileAtomic(file, JSON.stringify({ ...readMarker(file), ...patch }));
}

/** Empties a local cloud's folder. */
export function clearHome(home: string): void {
  if (!existsSync(home) || readdirSync(home).length === 0) return;
  if (!existsSync(path.join(home, markerName))) throw notAHome(home);
  const entries = readdirSync(home).filter((entry) => entry !== markerName);
  for (const entry of entries) rmSync(path.join(home, entry), { recursive: true, force: true });
  rmSync(path.join(home, markerName));
}

function readMarker(file: string): Marker {
  try {
    return markerSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new LocalCloudError(
      { what: `${file} is not of this version of the local cloud.`, next: ['sluice local reset'] },
      { cause: error },
    );
  }
}

function notUsable(home: string, cause: unknown): LocalCloudError {
  return new LocalCloudError(
    {
      what: `The local cloud cannot keep its state in ${home}.`,
      why: cause instanceof Error ? cause.message : String(cause),
      next: ['set SLUICE_HOME to a folder that can be written'],
    },
    { cause },
  );
}

function notAHome(home: string): LocalCloudError {
  return new LocalCloudError({
    what: `${home} is not a folder of the local cloud.`,
    why: `It holds other files and no ${markerName}, so nothing in it is touched.`,
    next: ['Set SLUICE_HOME to a new or empty folder.'],
  });
}

/** What gcloud is told to trust in place of all authorities, so that the local cloud can answer for Cloud Storage. */
export function certificateFile(home: string): string {
  return path.join(home, 'storage-certificate.pem');
}
