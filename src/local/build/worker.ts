import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { StorageBackend } from '../storage/index.ts';
import { buildNodeService } from './buildpack.ts';
import { DependencyCache } from './dependency-cache.ts';
import { BuildFailed, stepFailed } from './failure.ts';
import { type LocalImageStore, parseReference } from './image-store.ts';
import { buildEnvironment, findNpm } from './npm.ts';
import { endProcessesIn } from './orphans.ts';
import type { BuildOrder } from './request.ts';
import { unpackSource } from './source.ts';

export type Tools = {
  /** The build's own folder; made here, and gone afterwards. */
  folder: string;
  /** Kept between builds. */
  cacheFolder: string;
  storage: StorageBackend;
  images: LocalImageStore;
  signal: AbortSignal;
  log(line: string): void;
};

/** Source to pushed images. Throws a BuildFailed, or the signal's reason. */
export async function runBuild(order: BuildOrder, tools: Tools): Promise<{ name: string; digest: string }[]> {
  const root = path.join(tools.folder, 'workspace');
  try {
    await mkdir(root, { recursive: true });
    await fetchSource(order, root, tools);
    const digest = await buildImage(order, root, tools);
    return await push(order, digest, tools);
  } finally {
    await rm(tools.folder, { recursive: true, force: true });
  }
}

async function fetchSource(
  { source }: BuildOrder,
  root: string,
  { storage, log, signal }: Tools,
): Promise<void> {
  const { bucket, object, generation } = source;
  log('FETCHSOURCE');
  log(`Fetching storage object: gs://${bucket}/${object}${generation ? `#${generation}` : ''}`);
  const archive = await storage.readObject(bucket, object, generation);
  if (!archive) {
    throw new BuildFailed(
      'FETCH_SOURCE_FAILED',
      `could not resolve source: gs://${bucket}/${object} does not exist`,
    );
  }
  try {
    await unpackSource(archive, root);
  } catch (error) {
    throw new BuildFailed('FETCH_SOURCE_FAILED', `could not unpack source: ${messageOf(error)}`);
  }
  signal.throwIfAborted();
}

async function buildImage(order: BuildOrder, root: string, tools: Tools): Promise<string> {
  const { folder, cacheFolder, images, signal, log } = tools;
  log('BUILD');
  log('Starting Step #0');
  const home = path.join(folder, 'home');
  await mkdir(home, { recursive: true });
  const app = await buildNodeService({
    root,
    npm: findNpm(process.env),
    env: buildEnvironment(process.env, { home, npmCache: path.join(cacheFolder, 'npm') }),
    cache: new DependencyCache(path.join(cacheFolder, 'modules')),
    signal,
    log,
    // What a script has left running is found by its folder, which moves into the image store.
  }).finally(() => endProcessesIn(folder));
  signal.throwIfAborted();
  log('===> EXPORTING');
  const { digest } = await images.add(root, app).catch((error: unknown) => {
    throw stepFailed(messageOf(error));
  });
  await images.push(order.image, digest);
  log(`*** Images (${digest}):`);
  log(`      ${order.image}`);
  log('Finished Step #0');
  return digest;
}

async function push({ image, images: wanted }: BuildOrder, digest: string, { images, log }: Tools) {
  if (wanted.length > 0) log('PUSH');
  const pushed: { name: string; digest: string }[] = [];
  for (const name of wanted) {
    if (!sameImage(name, image)) {
      throw new BuildFailed(
        'PUSH_IMAGE_NOT_FOUND',
        `failed to find one or more images after execution of build steps: ["${name}"]`,
      );
    }
    await images.push(name, digest);
    log(`Pushed ${name} digest: ${digest}`);
    pushed.push({ name, digest });
  }
  return pushed;
}

function sameImage(a: string, b: string): boolean {
  const [left, right] = [parseReference(a), parseReference(b)];
  return left !== undefined && left.repository === right?.repository && left.tag === right.tag;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
