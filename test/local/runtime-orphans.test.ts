import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRuntime } from '../../src/local/runtime/index.ts';
import { findLauncher } from '../../src/local/runtime/launcher.ts';
import { MemoryLog, nodeRevision, noSecrets, server, temporaryFolder, until } from './runtime-kit.ts';

let home: string;
let host: ChildProcess | undefined;

beforeEach(() => {
  home = temporaryFolder();
});

afterEach(() => {
  host?.kill('SIGKILL');
  rmSync(home, { recursive: true });
});

/** A process of its own that deploys a revision whose process has a child of its own; resolves with their port. */
async function startHost(launcher: string[] | undefined): Promise<number> {
  const grandchild = "require('node:child_process').spawn('sleep', ['1000'], { stdio: 'ignore' });";
  const revision = nodeRevision(home, server('process.pid', grandchild));
  const module = path.resolve('src/local/runtime/index.ts');
  const script = path.join(home, 'host.mjs');
  writeFileSync(
    script,
    `import { openRuntime } from ${JSON.stringify(module)};
     const { revision, ...options } = JSON.parse(process.argv[2]);
     const runtime = openRuntime({ ...options, logs: { write() {} }, secrets: { read: () => ({ refused: "none" }) } });
     await runtime.deploy(revision);
     console.log((await runtime.acquire(revision)).port);`,
  );
  const options = JSON.stringify({ home, revision, ...(launcher && { launcher }) });
  host = spawn(process.execPath, [script, options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = host.stdout ? await once(host.stdout, 'data') : [];
  return Number(line);
}

const answers = async (port: number) => {
  try {
    return Number(await (await fetch(`http://127.0.0.1:${port}`)).text());
  } catch {
    return undefined;
  }
};

async function silent(port: number): Promise<void> {
  while (await answers(port)) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function killHost(): Promise<void> {
  host?.kill('SIGKILL');
  if (host) await once(host, 'exit');
}

describe('a runtime that is killed', () => {
  test('takes its instances along where the kernel can', async ({ skip }) => {
    const launcher = await findLauncher();
    if (launcher.length === 0) skip('neither setpriv nor unshare works here');
    const port = await startHost(undefined);
    expect(await answers(port)).toBe(1);
    await killHost();
    await silent(port);
    expect(await answers(port)).toBeUndefined();
  });

  test('leaves them to its successor elsewhere, which ends them and nothing else', async () => {
    const port = await startHost([]);
    const pid = await answers(port);
    await killHost();
    expect(await answers(port)).toBe(pid);

    // A record of a process that is not ours: the pid lives, but was born at another time.
    const other = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    const forged = path.join(home, 'instances', 'forged');
    mkdirSync(forged);
    writeFileSync(path.join(forged, 'process.json'), JSON.stringify({ pid: other.pid, birth: 'once' }));

    const successor = openRuntime({ home, logs: new MemoryLog(), secrets: noSecrets });
    await silent(port);
    await until(() => readdirSync(path.join(home, 'instances')).length === 0);
    await successor.stop();
    expect(await answers(port)).toBeUndefined();
    expect(other.exitCode).toBeNull();
    other.kill();
  });
});
