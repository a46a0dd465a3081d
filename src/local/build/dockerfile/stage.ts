import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ImageConfig } from '../image-store.ts';
import { makeFolder } from './tree.ts';

/** A stage that is being built. */
export type Stage = {
  index: number;
  /** Empty when it has none. */
  name: string;
  /** Its files; they lie over this machine's system. */
  root: string;
  /** ENV, which the image keeps, and ARG, which it does not. */
  env: Record<string, string>;
  args: Record<string, string>;
  workdir: string;
  entrypoint: string[];
  command: string[];
  labels: Record<string, string>;
  shell: string[];
  /** CMD of the base, which an ENTRYPOINT of the stage's own resets. */
  ownCommand: boolean;
};

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What an instruction's `$NAME` is: ENV before ARG. */
export function variablesOf({ env, args }: Stage): Record<string, string> {
  return { PATH: defaultPath, ...args, ...env };
}

export async function enterFolder(stage: Stage, folder: string): Promise<void> {
  stage.workdir = path.posix.resolve('/', stage.workdir, folder);
  await mkdir(stage.root, { recursive: true });
  await makeFolder(stage.root, path.join(stage.root, stage.workdir));
}

export function configOf({ entrypoint, command, env, workdir, labels }: Stage): ImageConfig {
  return {
    command: [...entrypoint, ...command],
    entrypoint,
    env,
    workdir,
    ...(Object.keys(labels).length > 0 && { labels }),
  };
}
