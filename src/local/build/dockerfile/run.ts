import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StepError } from '../failure.ts';
import { buildEnvironment } from '../npm.ts';
import { exitCodeOf } from '../process.ts';
import type { StepBench } from '../steps/bench.ts';
import type { View } from '../userland.ts';
import { dockerfileError, execForm, type Instruction } from './parse.ts';
import { defaultPath, type Stage, variablesOf } from './stage.ts';
import { checkInside, makeFolder } from './tree.ts';

/** They would change this machine's system, which an image here only stands on. */
const packageManager =
  /(?:^|[;&|(]|\s)(apt-get|apt|apk|yum|dnf|microdnf)\s+(?:-\S+\s+)*(?:add|install|update|upgrade)\b/;
/** An image here has neither owners nor users. */
const ownership = ['chown', 'chgrp', 'useradd', 'adduser', 'groupadd', 'addgroup', 'usermod'];

/** RUN: a process over the stage's files. Throws a StepError when it cannot be run or fails. */
export async function runInstruction(
  instruction: Instruction,
  stage: Stage,
  bench: StepBench,
): Promise<void> {
  const { userland, cacheFolder, signal, log } = bench;
  const manager = packageManager.exec(instruction.rest)?.[1];
  if (manager !== undefined)
    throw dockerfileError(
      instruction,
      `the local cloud installs nothing with ${manager}: its base images are this machine's own system`,
    );
  const argv = execForm(instruction) ?? [...stage.shell, instruction.rest];
  const [command = 'true', ...args] = argv;
  const npmCache = path.join(cacheFolder, 'npm');
  const shims = await writeShims(path.join(bench.folder, 'shims'));
  const view: View = {
    root: stage.root,
    scratch: path.join(bench.folder, 'scratch'),
    cwd: stage.workdir,
    binds: [
      { from: npmCache, to: npmCache },
      { from: shims, to: '/builder/shims' },
      ...(await cacheMounts(instruction, bench)),
    ],
  };
  await mkdir(npmCache, { recursive: true });
  await makeFolder(stage.root, path.join(stage.root, 'root'));
  // Each is made to be mounted on, before the process has a root of its own.
  for (const { to } of view.binds) await checkInside(stage.root, path.join(stage.root, to));
  const base = buildEnvironment(process.env, { home: userland.seen(view, '/root'), npmCache });
  const own = variablesOf(stage);
  const search = [userland.seen(view, '/builder/shims'), own['PATH'] ?? defaultPath, base['PATH'] ?? ''];
  const { CI: _ci, ...environment } = base;
  const env = { ...environment, ...own, PATH: search.join(path.delimiter) };
  const result = await userland.run(view, [command, ...args], { env, signal, onLine: log });
  signal.throwIfAborted();
  if (result.kind === 'not-started') throw new StepError(`${command} could not be started: ${result.why}`);
  const code = exitCodeOf(result);
  if (code !== 0) {
    const said = execForm(instruction) ? instruction.rest : [...stage.shell, instruction.rest].join(' ');
    throw dockerfileError(instruction, `The command '${said}' returned a non-zero code: ${code}`);
  }
}

/** `--mount=type=cache,target=…`, kept between builds; any other flag is refused by name. */
async function cacheMounts(instruction: Instruction, bench: StepBench): Promise<View['binds']> {
  const binds: View['binds'] = [];
  for (const { name, value } of instruction.flags) {
    const options = Object.fromEntries(value.split(',').map((word) => word.split(/=(.*)/s, 2)));
    const target: string | undefined = options['target'] ?? options['dst'] ?? options['destination'];
    if (name !== 'mount' || options['type'] !== 'cache' || target === undefined)
      throw dockerfileError(instruction, `the local cloud does not support --${name}${value && `=${value}`}`);
    const id = createHash('sha256')
      .update(options['id'] ?? target)
      .digest('hex');
    const folder = path.join(bench.cacheFolder, 'mounts', id);
    await mkdir(folder, { recursive: true });
    binds.push({ from: folder, to: path.posix.resolve('/', target) });
  }
  return binds;
}

async function writeShims(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const script =
    '#!/bin/sh\necho "$(basename "$0"): ignored, images of the local cloud have neither owners nor users" >&2\n';
  for (const name of ownership) await writeFile(path.join(folder, name), script, { mode: 0o755 });
  return folder;
}
