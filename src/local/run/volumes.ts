import type { MountedVolume } from '../contracts.ts';
import type { Template, Volume } from './schema.ts';
import { secretFiles } from './secrets.ts';
import { SpecError } from './spec-error.ts';

/** The one place of Cloud SQL's sockets; source: the comment of `VolumeMount.mount_path` in k8s.min.proto. */
const cloudSqlPath = '/cloudsql';

/** Throws where volumes and their mounts do not fit together. */
export function checkVolumes({ containers, volumes = [] }: Template): void {
  const names = volumes.map(({ name }) => name);
  const mounts = containers[0]?.volumeMounts ?? [];
  const at = ['template', 'containers', 0, 'volumeMounts'];
  const twice = repeated(names);
  if (twice) throw new SpecError(['template', 'volumes'], `the name '${twice}' is used more than once.`);
  for (const [index, { name, mountPath }] of mounts.entries()) {
    if (!names.includes(name)) throw new SpecError([...at, index, 'name'], `there is no volume '${name}'.`);
    const path = [...at, index, 'mountPath'];
    const forSql = volumes.find((volume) => volume.name === name)?.cloudSqlInstance !== undefined;
    if (forSql && trimmed(mountPath ?? cloudSqlPath) !== cloudSqlPath)
      throw new SpecError(path, `must be ${cloudSqlPath}, or empty, for a Cloud SQL volume.`);
    if (!forSql && mountPath === undefined) throw new SpecError(path, 'must be set');
  }
  const path = repeated(mounts.map(({ mountPath = cloudSqlPath }) => trimmed(mountPath)));
  if (path) throw new SpecError(at, `more than one volume is mounted at '${path}'.`);
}

/** What the process finds, and where. */
export function mountedVolumes(project: string, { containers, volumes = [] }: Template): MountedVolume[] {
  return (containers[0]?.volumeMounts ?? []).flatMap(({ name, mountPath = cloudSqlPath }) => {
    const volume = volumes.find((each) => each.name === name);
    return volume ? [mounted(project, volume, trimmed(mountPath))] : [];
  });
}

function mounted(project: string, { name, secret, cloudSqlInstance }: Volume, path: string): MountedVolume {
  if (secret) return { path, kind: 'secret', files: secretFiles(project, secret) };
  if (cloudSqlInstance) return { path, kind: 'cloudSql', instances: cloudSqlInstance.instances };
  return { path, kind: 'scratch', name };
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}

function repeated(values: readonly string[]): string | undefined {
  return values.find((value, index) => values.indexOf(value) !== index);
}
