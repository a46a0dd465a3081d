import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { StepError } from '../failure.ts';
import { buildEnvironment } from '../npm.ts';
import { exitCodeOf } from '../process.ts';
import { homeOf, type StepBench, viewOf } from './bench.ts';
import type { StepWork } from './planned.ts';

/** Runs a step's command with this machine's tools, in the workspace. */
export async function runTool(
  { command, script, tool }: Extract<StepWork, { kind: 'process' }>,
  bench: StepBench,
): Promise<number> {
  const { step, userland, cacheFolder, signal, log } = bench;
  log(`${step.builder}: the local cloud runs ${tool} in its place`);
  const npmCache = path.join(cacheFolder, 'npm');
  await mkdir(npmCache, { recursive: true });
  const view = viewOf(bench, path.join(bench.folder, 'scratch'));
  view.binds.push({ from: npmCache, to: npmCache });
  const argv: [string, ...string[]] = [...command];
  if (script !== undefined) {
    const folder = path.join(bench.folder, 'script');
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'script'), script, { mode: 0o755 });
    view.binds.push({ from: folder, to: '/builder/script' });
    argv.push(userland.seen(view, '/builder/script/script'));
  }
  const env = {
    ...buildEnvironment(process.env, { home: homeOf(bench, view), npmCache }),
    ...step.env,
  };
  const result = await userland.run(view, argv, { env, signal, onLine: log });
  if (result.kind === 'not-started') throw new StepError(`${command[0]} could not be started: ${result.why}`);
  return exitCodeOf(result);
}
