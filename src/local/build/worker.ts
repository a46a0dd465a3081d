import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { StorageBackend } from '../storage/index.ts';
import { type StoredArtifacts, storeArtifacts } from './artifacts.ts';
import { type Daemon, openDaemon } from './daemon.ts';
import { BuildFailed, messageOf } from './failure.ts';
import type { LocalImageStore } from './image-store.ts';
import type { BuildOrder } from './order.ts';
import { endProcessesIn } from './orphans.ts';
import { unpackSource } from './source.ts';
import { runSteps, type StepObserver } from './steps/run.ts';
import type { Userland } from './userland.ts';

export type Phase = 'FETCHSOURCE' | 'BUILD' | 'PUSH';

export type Tools = {
  /** The build's own folder; made here, and gone afterwards. */
  folder: string;
  /** Kept between builds. */
  cacheFolder: string;
  storage: StorageBackend;
  images: LocalImageStore;
  userland: Userland;
  signal: AbortSignal;
  log(line: string): void;
  observer: StepObserver & {
    /** Called when a phase begins; it lasts until the next one, or the end. */
    phase(phase: Phase): void;
  };
};

export type BuildProducts = { images: { name: string; digest: string }[]; artifacts?: StoredArtifacts };

/** Source to pushed images. Throws a BuildFailed, or the signal's reason. */
export async function runBuild(order: BuildOrder, tools: Tools): Promise<BuildProducts> {
  const { folder, cacheFolder, images, userland, signal, log, observer } = tools;
  const workspaceFolder = path.join(folder, 'workspace');
  const homeFolder = path.join(folder, 'home');
  const daemon = openDaemon(images);
  const context = { folder, workspaceFolder, homeFolder, cacheFolder, images, daemon, userland, signal, log };
  try {
    for (const made of [workspaceFolder, homeFolder]) await mkdir(made, { recursive: true });
    if (order.source) {
      enter('FETCHSOURCE', tools);
      await fetchSource(order.source, workspaceFolder, tools);
    }
    enter('BUILD', tools);
    await runSteps(order.steps, context, observer).finally(() => endProcessesIn(folder));
    if (order.images.length > 0 || order.objects) enter('PUSH', tools);
    const pushed = await pushImages(order.images, daemon, log);
    const artifacts = await storeArtifacts(order, workspaceFolder, tools);
    return { images: pushed, ...(artifacts && { artifacts }) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function enter(phase: Phase, { observer, log }: Tools): void {
  observer.phase(phase);
  log(phase);
}

async function fetchSource(
  { bucket, object, generation }: NonNullable<BuildOrder['source']>,
  folder: string,
  { storage, log, signal }: Tools,
): Promise<void> {
  log(`Fetching storage object: gs://${bucket}/${object}${generation ? `#${generation}` : ''}`);
  const archive = await storage.readObject(bucket, object, generation);
  if (!archive) {
    throw new BuildFailed(
      'FETCH_SOURCE_FAILED',
      `could not resolve source: gs://${bucket}/${object} does not exist`,
    );
  }
  try {
    await unpackSource(archive, folder);
  } catch (error) {
    throw new BuildFailed('FETCH_SOURCE_FAILED', `could not unpack source: ${messageOf(error)}`);
  }
  signal.throwIfAborted();
}

async function pushImages(names: readonly string[], daemon: Daemon, log: Tools['log']) {
  const missing = names.filter((name) => !daemon.has(name));
  if (missing.length > 0) {
    throw new BuildFailed(
      'PUSH_IMAGE_NOT_FOUND',
      `failed to find one or more images after execution of build steps: [${missing.map((name) => `"${name}"`).join(' ')}]`,
    );
  }
  const pushed: { name: string; digest: string }[] = [];
  for (const name of names) {
    const image = await daemon.push(name);
    if (!image) continue;
    log(`Pushed ${name} digest: ${image.digest}`);
    pushed.push({ name, digest: image.digest });
  }
  return pushed;
}
