import { status } from '@grpc/grpc-js';
import type { MountedVolume } from '../contracts.ts';
import { RpcError } from '../grpc.ts';
import type { Template, Volume } from './schema.ts';
import { secretFiles } from './secrets.ts';

/** Throws where volumes and their mounts do not fit together. */
export function checkVolumes({ containers, volumes = [] }: Template): void {
  const names = volumes.map(({ name }) => name);
  const mounts = containers[0]?.volumeMounts ?? [];
  const at = 'template.containers[0].volume_mounts';
  const twice = repeated(names);
  if (twice) refuse(`template.volumes: the name '${twice}' is used more than once.`);
  const unknown = mounts.findIndex(({ name }) => !names.includes(name));
  if (unknown >= 0) refuse(`${at}[${unknown}].name: there is no volume '${mounts[unknown]?.name}'.`);
  const path = repeated(mounts.map(({ mountPath }) => trimmed(mountPath)));
  if (path) refuse(`${at}: more than one volume is mounted at '${path}'.`);
}

/** What the process finds, and where. */
export function mountedVolumes(project: string, { containers, volumes = [] }: Template): MountedVolume[] {
  return (containers[0]?.volumeMounts ?? []).flatMap(({ name, mountPath }) => {
    const volume = volumes.find((each) => each.name === name);
    return volume ? [mounted(project, volume, trimmed(mountPath))] : [];
  });
}

function mounted(project: string, { name, secret }: Volume, path: string): MountedVolume {
  if (secret) return { path, kind: 'secret', files: secretFiles(project, secret) };
  return { path, kind: 'scratch', name };
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}

function repeated(values: readonly string[]): string | undefined {
  return values.find((value, index) => values.indexOf(value) !== index);
}

function refuse(message: string): never {
  throw new RpcError(status.INVALID_ARGUMENT, message);
}
