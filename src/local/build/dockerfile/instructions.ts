import path from 'node:path';
import type { StepBench } from '../steps/bench.ts';
import type { Workshop } from './build.ts';
import { type CopySource, copyInto } from './copy.ts';
import { dockerfileError, execForm, type Instruction } from './parse.ts';
import { runInstruction } from './run.ts';
import { enterFolder, type Stage, variablesOf } from './stage.ts';
import { listTree } from './tree.ts';
import { expand, readPairs, splitWords } from './words.ts';

/** What Cloud Run makes no use of, and what an image here cannot have; the log says which. */
const ignored: Readonly<Record<string, string>> = {
  EXPOSE: 'Cloud Run decides the port',
  HEALTHCHECK: 'Cloud Run has probes of its own',
  MAINTAINER: 'it is only a label',
  STOPSIGNAL: 'Cloud Run sends SIGTERM',
  USER: 'the local cloud runs an image as the user who started it',
  VOLUME: 'Cloud Run has volumes of its own',
};

/** Does one instruction other than FROM. Throws an Error that says why it cannot. */
export async function performInstruction(
  instruction: Instruction,
  stage: Stage,
  shop: Workshop,
): Promise<void> {
  const { keyword, rest } = instruction;
  if (keyword !== 'RUN' && keyword !== 'COPY' && keyword !== 'ADD') refuseFlags(instruction);
  switch (keyword) {
    case 'ARG':
      return declareArguments(rest, stage, shop);
    case 'ENV':
      for (const [name, value] of readPairs(rest, variablesOf(stage))) stage.env[name] = value;
      return;
    case 'LABEL':
      for (const [name, value] of readPairs(rest, variablesOf(stage))) stage.labels[name] = value;
      return;
    case 'WORKDIR':
      return enterFolder(stage, expand(rest, variablesOf(stage)));
    case 'COPY':
    case 'ADD':
      return copy(instruction, stage, shop);
    case 'RUN':
      return runInstruction(instruction, stage, shop.bench);
    case 'SHELL':
      stage.shell =
        execForm(instruction) ?? refuse(instruction, 'SHELL requires the arguments to be in JSON form');
      return;
    case 'CMD':
      stage.command = commandOf(instruction, stage);
      stage.ownCommand = true;
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = commandOf(instruction, stage);
      if (!stage.ownCommand) stage.command = [];
      return;
    default:
      return ignore(instruction, shop.bench);
  }
}

function ignore(instruction: Instruction, { log }: StepBench): void {
  const why = Object.hasOwn(ignored, instruction.keyword) ? ignored[instruction.keyword] : undefined;
  if (why === undefined) refuse(instruction, 'the local cloud does not support this instruction');
  log(` ---> ignored: ${why}`);
}

/** `$NAME` in a command is left to the shell that runs it, or to nobody. */
function commandOf(instruction: Instruction, { shell }: Stage): string[] {
  return execForm(instruction) ?? (instruction.rest === '' ? [] : [...shell, instruction.rest]);
}

function declareArguments(rest: string, stage: Stage, { build, globals }: Workshop): void {
  for (const word of splitWords(rest, variablesOf(stage))) {
    const [name = '', value] = word.split(/=(.*)/s, 2);
    const given = build.buildArgs[name] ?? value ?? globals[name];
    if (given !== undefined) stage.args[name] = given;
  }
}

async function copy(instruction: Instruction, stage: Stage, shop: Workshop): Promise<void> {
  const { from, mode } = copyFlags(instruction, shop.bench);
  const words = (execForm(instruction) ?? [instruction.rest]).flatMap((text) =>
    execForm(instruction) ? [expand(text, variablesOf(stage))] : splitWords(text, variablesOf(stage)),
  );
  const destination = words.pop();
  if (destination === undefined || words.length === 0)
    refuse(instruction, `${instruction.keyword} requires at least two arguments, but only one was provided`);
  if (instruction.keyword === 'ADD') checkAdded(instruction, words);
  const source =
    from === undefined ? shop.context : await filesOf(expand(from, variablesOf(stage)), instruction, shop);
  await copyInto(stage.root, source, {
    sources: words,
    destination,
    workdir: stage.workdir,
    ...(mode !== undefined && { mode }),
  });
}

function copyFlags(instruction: Instruction, { log }: StepBench): { from?: string; mode?: number } {
  const read: { from?: string; mode?: number } = {};
  for (const { name, value } of instruction.flags) {
    if (name === 'from' && instruction.keyword === 'COPY') read.from = value;
    else if (name === 'chmod' && /^[0-7]{3,4}$/.test(value)) read.mode = Number.parseInt(value, 8);
    else if (name === 'chown') log(' ---> --chown is ignored: images of the local cloud have no owners');
    else if (name !== 'link')
      refuse(instruction, `the local cloud does not support --${name}${value && `=${value}`}`);
  }
  return read;
}

/** ADD is COPY here: what it would fetch or unpack is refused. */
function checkAdded(instruction: Instruction, sources: readonly string[]): void {
  const remote = sources.find((name) => /^[a-z]+:\/\/|^git@/.test(name));
  if (remote !== undefined) refuse(instruction, `the local cloud fetches nothing: ${remote}`);
  const archive = sources.find((name) => /\.(tar|tgz|tar\.(gz|bz2|xz|zst))$/.test(name));
  if (archive !== undefined)
    refuse(instruction, `the local cloud does not unpack ${archive}; use COPY and RUN tar`);
}

async function filesOf(
  from: string,
  instruction: Instruction,
  { stages, bench }: Workshop,
): Promise<CopySource> {
  const earlier = stages.slice(0, -1);
  const stage = earlier.find(({ name, index }) => name === from.toLowerCase() || String(index) === from);
  const root = stage?.root ?? bench.daemon.find(from)?.root;
  if (root === undefined) refuse(instruction, `the local cloud has neither a stage nor an image ${from}`);
  return { root: path.resolve(root), entries: await listTree(root) };
}

function refuseFlags(instruction: Instruction): void {
  const [flag] = instruction.flags;
  // HEALTHCHECK's own say when it would run.
  if (flag && instruction.keyword !== 'HEALTHCHECK')
    refuse(instruction, `the local cloud does not support --${flag.name}`);
}

function refuse(instruction: Instruction, why: string): never {
  throw dockerfileError(instruction, why);
}
