import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { buildNodeService } from '../buildpack.ts';
import { DependencyCache } from '../dependency-cache.ts';
import { messageOf, StepError } from '../failure.ts';
import { buildEnvironment, findProgram } from '../npm.ts';
import { endProcessesIn } from '../orphans.ts';
import { inWorkspace, type StepBench } from './bench.ts';
import type { StepWork } from './planned.ts';

/** Google's buildpacks over a folder of the workspace, which stays as it is. */
export async function runPack(
  { image, path: source, env }: Extract<StepWork, { kind: 'pack' }>,
  bench: StepBench,
): Promise<number> {
  const { folder, cacheFolder, images, daemon, signal, log } = bench;
  const root = path.join(folder, 'app');
  const home = path.join(folder, 'home');
  await mkdir(home, { recursive: true });
  const from = await inWorkspace(bench, source, path.posix.resolve);
  await cp(from, root, { recursive: true, verbatimSymlinks: true });
  const app = await buildNodeService({
    root,
    npm: findProgram('npm'),
    env: {
      ...buildEnvironment(process.env, { home, npmCache: path.join(cacheFolder, 'npm') }),
      ...env,
    },
    entrypoint: env['GOOGLE_ENTRYPOINT'],
    cache: new DependencyCache(path.join(cacheFolder, 'modules')),
    signal,
    log,
    // What a script has left running is found by its folder, which moves into the image store.
  }).finally(() => endProcessesIn(folder));
  signal.throwIfAborted();
  log('===> EXPORTING');
  const { digest } = await images.add(root, app).catch((error: unknown) => {
    throw new StepError(messageOf(error));
  });
  daemon.tag(image, digest);
  log(`*** Images (${digest}):`);
  log(`      ${image}`);
  return 0;
}
