import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CloudSql, MountedVolume, RunnableRevision, SecretReader, SecretRef } from '../contracts.ts';

/** A folder (or a file) of the machine, and where an instance's process is to find it. */
export type Mount = { source: string; target: string; readOnly: boolean; isFile?: boolean };

/** An instance cannot start, for a reason that its log tells. */
class StartError extends Error {
  override readonly name = 'StartError';
}

/** What the volumes of an instance are made of. */
export type VolumeParts = {
  secrets: SecretReader;
  cloudSql?: CloudSql;
  /** For what is to be said of them later. */
  say(line: string): void;
  /** Aborts when the instance has ended. */
  gone: AbortSignal;
};

/**
 * Makes what is mounted, in the instance's own folder. Secret files are written now, while Cloud Run fetches each when
 * it is read: a version that is added later shows in instances that start later.
 */
export async function openVolumes(
  folder: string,
  volumes: readonly MountedVolume[],
  parts: VolumeParts,
): Promise<Mount[]> {
  const own = path.join(folder, 'volumes');
  // Secret files may be readable by all, for the instance's own users; the machine's others do not get this far.
  await mkdir(own, { recursive: true, mode: 0o700 });
  const opened = await Promise.all(
    volumes.map(async (volume, index): Promise<Mount[]> => {
      if (volume.kind === 'cloudSql') return openSockets(volume, parts);
      const source = path.join(own, volume.kind === 'scratch' ? `scratch-${volume.name}` : `secret-${index}`);
      await mkdir(source, { recursive: true });
      if (volume.kind === 'secret') await writeSecrets(source, volume.files, parts.secrets);
      return [{ source, target: volume.path, readOnly: volume.kind === 'secret' }];
    }),
  );
  return opened.flat();
}

/** A mount for each: where nothing can be mounted, the path that stands for it must be short. */
async function openSockets(
  { path: target, instances }: Extract<MountedVolume, { kind: 'cloudSql' }>,
  { cloudSql, ...owner }: VolumeParts,
): Promise<Mount[]> {
  if (!cloudSql) throw new StartError('There is no Cloud SQL here.');
  const folders = Object.entries(await cloudSql.attach(instances, owner));
  return folders.map(([name, source]) => ({ source, target: path.join(target, name), readOnly: false }));
}

type SecretFiles = Extract<MountedVolume, { kind: 'secret' }>['files'];

async function writeSecrets(folder: string, files: SecretFiles, secrets: SecretReader): Promise<void> {
  for (const { path: name, mode, ref } of files) {
    const file = path.join(folder, name);
    // The API refuses such a path; here it would put a secret anywhere on the machine.
    if (!file.startsWith(folder + path.sep))
      throw new StartError(`The secret file ${JSON.stringify(name)} is not within its volume.`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, readSecret(ref, secrets), { mode: 0o600 });
    await chmod(file, mode);
  }
}

/** The values of a revision's secret variables as they are now. */
export function secretEnvironment(
  { secretEnv }: RunnableRevision,
  secrets: SecretReader,
): Record<string, string> {
  const entries = Object.entries(secretEnv);
  return Object.fromEntries(entries.map(([name, ref]) => [name, variable(name, readSecret(ref, secrets))]));
}

function readSecret(ref: SecretRef, secrets: SecretReader): Buffer {
  const read = secrets.read(ref);
  if ('refused' in read) throw new StartError(read.refused);
  return read.data;
}

function variable(name: string, data: Buffer): string {
  if (data.includes(0))
    throw new StartError(`The secret for ${name} holds a NUL byte, which no variable can.`);
  return data.toString('utf8');
}
