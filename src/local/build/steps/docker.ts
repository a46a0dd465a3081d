import path from 'node:path';
import { buildDockerfile } from '../dockerfile/build.ts';
import { StepError } from '../failure.ts';
import { inWorkspace, type StepBench } from './bench.ts';
import type { DockerBuild } from './planned.ts';

export async function runDockerBuild(build: DockerBuild, bench: StepBench): Promise<number> {
  const context = await inWorkspace(bench, build.context, path.posix.resolve);
  const dockerfile = await inWorkspace(
    bench,
    build.dockerfile ?? path.posix.join(build.context, 'Dockerfile'),
    path.posix.resolve,
  );
  const { digest } = await buildDockerfile({ ...build, context, dockerfile }, bench);
  for (const name of build.tags) {
    bench.daemon.tag(name, digest);
    bench.log(`Successfully tagged ${name}`);
    if (build.push) await runDockerPush(name, bench);
  }
  return 0;
}

export async function runDockerPush(name: string, { daemon, log }: StepBench): Promise<number> {
  const image = await daemon.push(name);
  if (!image) throw new StepError(`An image does not exist locally with the tag: ${name}`);
  log(`Pushed ${name} digest: ${image.digest}`);
  return 0;
}

export function runDockerPull(name: string, { daemon, log }: StepBench): Promise<number> {
  const image = daemon.find(name);
  if (!image)
    throw new StepError(
      `manifest for ${name} not found: manifest unknown: the local cloud has no such image`,
    );
  log(`Digest: ${image.digest}`);
  return Promise.resolve(0);
}

export function runDockerTag(
  { from, to }: { from: string; to: string },
  { daemon }: StepBench,
): Promise<number> {
  const image = daemon.find(from);
  if (!image) throw new StepError(`No such image: ${from}`);
  daemon.tag(to, image.digest);
  return Promise.resolve(0);
}
