import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DependencyCache } from './dependency-cache.ts';
import { StepError } from './failure.ts';
import { findLaunch } from './launch.ts';
import { type PackageJson, readPackageJson } from './package-json.ts';
import { runProcess } from './process.ts';

export type Workbench = {
  /** The unpacked source; becomes the image. */
  root: string;
  /** Absolute path; undefined when the machine has none. */
  npm: string | undefined;
  env: Record<string, string>;
  /** In place of what the source says of its start. */
  entrypoint: string | undefined;
  cache: DependencyCache;
  signal: AbortSignal;
  log(line: string): void;
};

export type BuiltApp = { command: string[]; env: Record<string, string> };

/**
 * What Google's buildpacks do with a Node service: install, build, drop the development dependencies, find the
 * start command. Throws a StepError.
 */
export async function buildNodeService(bench: Workbench): Promise<BuiltApp> {
  bench.log('===> DETECTING');
  const manifest = detect(bench);
  bench.log('===> BUILDING');
  reportEngines(bench, manifest);
  const script = ['gcp-build', 'build'].find((name) => name in manifest.scripts);
  await install(bench, manifest, script ? 'development' : 'production');
  if (script) {
    await npm(bench, ['run', script], 'production');
    if (Object.keys(manifest.devDependencies).length > 0)
      await npm(bench, ['prune', '--omit=dev'], 'production');
  }
  const { entrypoint } = bench;
  const procfile =
    entrypoint === undefined ? readOptional(path.join(bench.root, 'Procfile')) : `web: ${entrypoint}`;
  const launch = findLaunch(bench.root, manifest, procfile);
  if (!launch) {
    throw new StepError(
      'for Node.js, provide a main or start script, a Procfile, or a server.js or index.js file',
    );
  }
  bench.log(`Setting web process: ${launch.said}`);
  return { command: launch.command, env: { NODE_ENV: 'production' } };
}

function detect(bench: Workbench): PackageJson {
  const manifest = readManifest(bench);
  if (!manifest) throw new StepError('No buildpack groups passed detection.');
  bench.log('google.nodejs.runtime');
  bench.log('google.nodejs.npm');
  const foreign = ['yarn.lock', 'pnpm-lock.yaml', 'bun.lock'].find((name) =>
    existsSync(path.join(bench.root, name)),
  );
  if (foreign && !lockfileOf(bench.root))
    throw new StepError(`the local cloud builds with npm only, not from ${foreign}`);
  return manifest;
}

function readManifest(bench: Workbench): PackageJson | undefined {
  try {
    return readPackageJson(bench.root);
  } catch (error) {
    throw new StepError(error instanceof Error ? error.message : String(error));
  }
}

function reportEngines({ log }: Workbench, { engines }: PackageJson): void {
  const wanted = engines?.node ? `engines.node asks for "${engines.node}"; ` : '';
  log(`${wanted}the local cloud builds and runs with Node.js ${process.version}`);
}

async function install(bench: Workbench, manifest: PackageJson, mode: string): Promise<void> {
  const lockfile = lockfileOf(bench.root);
  if (!lockfile) {
    bench.log('No lockfile: versions are resolved anew at every build.');
    return npm(bench, ['install', '--no-save', '--no-package-lock'], mode);
  }
  const key = await bench.cache.keyOf(bench.root, manifest, lockfile, mode);
  if (key && (await bench.cache.restore(key, bench.root))) {
    bench.log(`Running "npm ci" (NODE_ENV=${mode}): cached, ${lockfile} has not changed`);
    return;
  }
  await npm(bench, ['ci'], mode);
  if (key) await bench.cache.keep(key, bench.root);
}

async function npm(bench: Workbench, args: string[], mode: string): Promise<void> {
  const command = `npm ${args.join(' ')}`;
  if (!bench.npm) throw new StepError(`${command}: there is no npm beside this Node nor in PATH`);
  bench.log(`Running "${command}" (NODE_ENV=${mode})`);
  const started = Date.now();
  const result = await runProcess([bench.npm, ...args], {
    cwd: bench.root,
    env: { ...bench.env, NODE_ENV: mode },
    signal: bench.signal,
    onLine: bench.log,
  });
  bench.signal.throwIfAborted();
  if (result.kind === 'exited' && result.code === 0) {
    bench.log(`Done "${command}" (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    return;
  }
  throw new StepError(`"${command}" ${ending(result)}`);
}

function ending(result: Awaited<ReturnType<typeof runProcess>>): string {
  switch (result.kind) {
    case 'exited':
      return `exited with non-zero status: ${result.code}`;
    case 'killed':
      return `was killed by ${result.signal}`;
    case 'not-started':
      return `could not be started: ${result.why}`;
  }
}

function lockfileOf(root: string): string | undefined {
  return ['npm-shrinkwrap.json', 'package-lock.json'].find((name) => existsSync(path.join(root, name)));
}

function readOptional(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
