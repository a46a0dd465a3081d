import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { LocalImage } from '../../contracts.ts';
import { messageOf, StepError } from '../failure.ts';
import type { StepBench } from '../steps/bench.ts';
import type { DockerBuild } from '../steps/planned.ts';
import { findBaseImage } from './base-images.ts';
import { type CopySource, openContext } from './copy.ts';
import { performInstruction } from './instructions.ts';
import { dockerfileError, type Instruction, parseDockerfile } from './parse.ts';
import { sealLayers } from './seal.ts';
import { configOf, enterFolder, type Stage } from './stage.ts';
import { copyTree } from './tree.ts';
import { expand, splitWords } from './words.ts';

export type DockerfileBuild = Omit<DockerBuild, 'context' | 'dockerfile'> & {
  /** On this machine. */
  context: string;
  dockerfile: string;
};

/** What all stages share. */
export type Workshop = {
  build: DockerfileBuild;
  bench: StepBench;
  context: CopySource;
  /** ARGs before the first FROM. */
  globals: Record<string, string>;
  stages: Stage[];
};

/**
 * Builds an image the way a Dockerfile says, instruction by instruction; what cannot be done here is refused with its
 * name and line. A base image is this machine's own system: only what the Dockerfile adds becomes content.
 * Throws a StepError.
 */
export async function buildDockerfile(build: DockerfileBuild, bench: StepBench): Promise<LocalImage> {
  const text = await readFile(build.dockerfile, 'utf8').catch(() => {
    throw new StepError(
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: no ${path.basename(build.dockerfile)} in the build context`,
    );
  });
  const instructions = parseDockerfile(text);
  const context = await openContext(build.context, build.dockerfile).catch((error: unknown) => {
    throw new StepError(messageOf(error));
  });
  const shop: Workshop = { build, bench, context, globals: {}, stages: [] };
  for (const [index, instruction] of instructions.entries()) {
    bench.signal.throwIfAborted();
    if (instruction.keyword === 'FROM' && isTarget(shop.stages.at(-1), build.target)) break;
    bench.log(`Step ${index + 1}/${instructions.length} : ${instruction.text}`);
    await perform(instruction, shop);
  }
  const last = shop.stages.at(-1);
  if (!last) throw new StepError('the Dockerfile has no FROM');
  if (build.target !== undefined && !isTarget(last, build.target))
    throw new StepError(`failed to reach build target ${build.target} in Dockerfile`);
  Object.assign(last.labels, build.labels);
  await sealLayers(last.root);
  const image = await bench.images.add(last.root, configOf(last));
  bench.log(`Successfully built ${image.digest}`);
  return image;
}

function isTarget(stage: Stage | undefined, target: string | undefined): boolean {
  return (
    stage !== undefined &&
    target !== undefined &&
    (stage.name === target.toLowerCase() || String(stage.index) === target)
  );
}

async function perform(instruction: Instruction, shop: Workshop): Promise<void> {
  const stage = shop.stages.at(-1);
  try {
    if (instruction.keyword === 'FROM') shop.stages.push(await openStage(instruction, shop));
    else if (stage) await performInstruction(instruction, stage, shop);
    else if (instruction.keyword === 'ARG') readGlobals(instruction, shop);
    else throw dockerfileError(instruction, 'no build stage in current context');
  } catch (error) {
    shop.bench.signal.throwIfAborted();
    throw error instanceof StepError ? error : dockerfileError(instruction, messageOf(error));
  }
}

function readGlobals({ rest }: Instruction, { globals, build }: Workshop): void {
  for (const word of splitWords(rest, globals)) {
    const [name = '', value = ''] = word.split(/=(.*)/s, 2);
    globals[name] = build.buildArgs[name] ?? value;
  }
}

async function openStage(instruction: Instruction, shop: Workshop): Promise<Stage> {
  const { stages, bench, globals } = shop;
  checkPlatform(instruction);
  const [, image = '', name = ''] = /^(\S+)(?:\s+as\s+(\S+))?$/i.exec(instruction.rest) ?? [];
  if (image === '') throw dockerfileError(instruction, 'FROM requires either one or three arguments');
  const reference = expand(image, globals);
  const stage: Stage = {
    ...{ index: stages.length, name: name.toLowerCase() },
    root: path.join(bench.folder, `stage-${stages.length}`, 'root'),
    ...{ env: {}, args: {}, workdir: '/', entrypoint: [], command: [], labels: {} },
    ...{ shell: ['/bin/sh', '-c'], ownCommand: false },
  };
  const earlier = stages.find((one) => one.name !== '' && one.name === reference.toLowerCase());
  if (earlier) {
    Object.assign(
      stage,
      structuredClone({ ...earlier, ...stage, env: earlier.env, workdir: earlier.workdir }),
    );
    Object.assign(
      stage,
      structuredClone({ entrypoint: earlier.entrypoint, command: earlier.command, labels: earlier.labels }),
    );
    await copyTree(earlier.root, stage.root);
  } else {
    await fillFromImage(stage, reference, instruction, bench);
  }
  await enterFolder(stage, stage.workdir);
  return stage;
}

async function fillFromImage(
  stage: Stage,
  reference: string,
  instruction: Instruction,
  { daemon, log }: StepBench,
): Promise<void> {
  const base = findBaseImage(reference);
  if (base) {
    Object.assign(
      stage,
      structuredClone({ env: base.env, entrypoint: base.entrypoint, command: base.command }),
    );
    if (base.note !== '') log(` ---> ${reference}: the local cloud takes ${base.note} in its place`);
    return;
  }
  const image = daemon.find(reference);
  if (!image) {
    throw dockerfileError(
      instruction,
      `the local cloud has no image ${reference}: it has those that were built in it, and in place of node, python, debian, ubuntu, alpine and distroless ones this machine's own`,
    );
  }
  const entrypoint = image.entrypoint ?? [];
  Object.assign(stage, {
    env: { ...image.env },
    entrypoint,
    command: image.command.slice(entrypoint.length),
    workdir: image.workdir ?? '/',
  });
  await copyTree(image.root, stage.root);
}

function checkPlatform(instruction: Instruction): void {
  for (const { name, value } of instruction.flags) {
    const isOurs = name === 'platform' && /^(linux\/amd64|\$\{?(BUILD|TARGET)PLATFORM\}?)$/.test(value);
    if (!isOurs) throw dockerfileError(instruction, `the local cloud does not support --${name}=${value}`);
  }
}
