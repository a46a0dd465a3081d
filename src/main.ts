#!/usr/bin/env node
// The bin. `--version` is answered before anything is imported: start-up time is a feature.
const { readFileSync, existsSync } = process.getBuiltinModule('node:fs');
const { fileURLToPath } = process.getBuiltinModule('node:url');

const root = fileURLToPath(new URL('../../', import.meta.url));
const args = process.argv.slice(2);

if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  process.stdout.write(`sluice ${version}\n`);
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  runOnNewerNode();
} else {
  void runHere();
}

async function runHere(): Promise<void> {
  if (process.env['SLUICE_DEBUG'] === '1') process.setSourceMapsEnabled(true);
  process.getBuiltinModule('node:module').enableCompileCache();
  const { isStale } = await import('./build-stamp.ts');
  if (isStale(root)) {
    process.stderr.write(
      'sluice: dist was built from other sources than this checkout holds, so it is not run.\n→ npm run build\n',
    );
    process.exitCode = 2;
    return;
  }
  const { run } = await import('./cli.ts');
  await run(root, args);
}

/** Under an older Node the devDependency `node` of a checkout is used instead. */
function runOnNewerNode(): void {
  const node = `${root}node_modules/node/bin/node`;
  if (!existsSync(node)) {
    process.stderr.write(
      `sluice needs Node 24 or newer; this is ${process.version}.\n→ npm install -g node@24\n`,
    );
    process.exitCode = 2;
    return;
  }
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(node, [fileURLToPath(import.meta.url), ...args], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; only the child may act on it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
}
