import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { releaseDocumentSchema } from '../../src/report/json.ts';
import { answering, makePlace, tinyService, whoServes } from './kit.ts';

/** One place for all: each server is the next deploy of the same service, beside a good one that serves. */
const place = await makePlace(tinyService(answering()));
const { sluice } = place;
const local = ['staging', '--local'];

async function deployServer(server: string) {
  await place.write('server.js', server);
  const run = await sluice(['deploy', ...local, '--json']);
  const document = releaseDocumentSchema.parse(JSON.parse(run.stdout));
  const [service] = document.services;
  return { ...run, document, diagnosis: service?.diagnosis, startup: service?.startup };
}

let good: string | undefined;

test('a service without any startup lines starts by answering', async () => {
  const { exitCode, stdout } = await sluice(['deploy', ...local]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('✔ tiny is deployed to staging');
  good = (await whoServes(place, '/'))?.answered;
});

test.each([
  ['exits 0 at once', 'process.exit(0);', /exit(ed with exit code |\()0/],
  [
    'exits 3 behind the probe',
    answering('setTimeout(() => process.exit(3), 100)'),
    /exit(ed with exit code |\()3/,
  ],
  ['throws', 'throw new Error("no\\u001b[31m way");', /no way/],
  ['hard-codes a taken port', 'PORT_TAKEN', /EADDRINUSE/],
  ['misses a module', 'import "./nothing.js";', /nothing\.js/],
])('a service that %s fails with its cause, and the former one serves', async (_name, code, cause) => {
  await using taken = await takePort();
  const server = code === 'PORT_TAKEN' ? answering().replace('process.env.PORT', String(taken.port)) : code;
  const { exitCode, document, diagnosis } = await deployServer(server);
  expect(document.release).toMatchObject({ outcome: 'failed', exitCode: 12, rolledBack: true });
  expect(exitCode).toBe(12);
  expect(`${diagnosis?.cause}\n${diagnosis?.why}\n${diagnosis?.evidence.join('\n')}`).toMatch(cause);
  expect(diagnosis?.next).toContainEqual(expect.stringMatching(/^sluice logs staging --local --revision /));
  expect((await whoServes(place, '/'))?.answered).toBe(good);
});

test('a build that fails ends with 11 and the end of its log', async () => {
  const manifest = await readFile(join(place.dir, 'package.json'), 'utf8');
  const broken = {
    ...JSON.parse(manifest),
    scripts: { build: 'echo compiling; echo ::error::bad >&2; exit 7', start: 'node server.js' },
  };
  await place.write('package.json', JSON.stringify(broken));
  const { exitCode, stdout, stderr } = await sluice(['deploy', ...local]);
  await place.write('package.json', manifest);
  expect(exitCode).toBe(11);
  expect(stderr).toContain('compiling');
  expect(`${stdout}\n${stderr}`).not.toMatch(/^::/m);
  expect(stdout).toMatch(/not done +.*no revision was made/);
  expect((await whoServes(place, '/'))?.answered).toBe(good);
});

test('escapes and workflow commands in the log are never shown raw', async () => {
  const esc = String.fromCharCode(27);
  const hostile = [
    `${esc}]0;owned\\u0007`,
    `${esc}[2J${esc}[31mred`,
    '::set-env name=X::y',
    '\\u202emirrored',
  ];
  const server = answering(hostile.map((line) => `console.log(${JSON.stringify(line)});`).join(' '));
  await place.write('server.js', server);
  const events = await sluice(['deploy', ...local, '--events']);
  expect(events.exitCode).toBe(0);
  const logs = await sluice(['logs', ...local, '--limit', '30']);
  expect(logs.stdout).toContain('red');
  const json = await sluice(['logs', ...local, '--json']);
  const startup = await sluice(['startup', ...local]);
  for (const { stdout, stderr } of [events, logs, json, startup]) {
    // Control characters are refused by the kit for every run already.
    expect(`${stdout}\n${stderr}`).not.toMatch(/^\s*::/m);
  }
  expect(logs.stdout).not.toMatch(/\u202e/);
  good = (await whoServes(place, '/'))?.answered;
});

test('a flood of output is bounded, and the deploy goes on', async () => {
  // 200 MB in lines of 1 kB, while it answers.
  const flood = `
    const line = 'x'.repeat(1023) + '\\\\n';
    const block = line.repeat(1024);
    let left = 200;
    const write = () => { while (left-- > 0) if (!process.stdout.write(block)) return process.stdout.once('drain', write); };
    write();`;
  await place.write('server.js', answering(flood));
  const child = place.start(['deploy', ...local, '--json']);
  let peak = 0;
  const watch = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? peak);
  }, 100);
  const { exitCode, stdout, stderr } = await child;
  clearInterval(watch);
  expect({ exitCode, stderr: stderr.slice(-2000) }).toMatchObject({ exitCode: 0 });
  expect(stdout.length).toBeLessThan(100_000);
  // Not a figure of speed: what was printed must not be held.
  expect(peak).toBeLessThan(700_000);
  good = (await whoServes(place, '/'))?.answered;
});

test.each([
  ['a symlink loop', (at: string) => symlink('.', at)],
  ['a dangling symlink', (at: string) => symlink('nowhere', at)],
])('%s in the source', async (name, make) => {
  const path = join(place.dir, 'odd');
  await make(path);
  const { exitCode, stdout, stderr } = await sluice(['plan', ...local]);
  await rm(path);
  expect({ name, exitCode, told: exitCode === 0 || /odd/.test(`${stdout}${stderr}`) }).toMatchObject({
    told: true,
  });
});

test('a socket in the source is named, or left out', async () => {
  const path = join(place.dir, 'odd.sock');
  const server = createServer().listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  const { exitCode, stdout, stderr } = await sluice(['plan', ...local]);
  server.close();
  expect(exitCode === 0 || /odd\.sock/.test(`${stdout}${stderr}`)).toBe(true);
});

test.skipIf(process.getuid?.() === 0)(
  'an unreadable folder in the source is named (skipped as root, who reads everything)',
  async () => {
    const path = join(place.dir, 'locked');
    await mkdir(path, { mode: 0o000 });
    const { exitCode, stdout, stderr } = await sluice(['plan', ...local]);
    await rm(path, { recursive: true });
    expect(exitCode).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain('locked');
  },
);

async function takePort() {
  const server = createServer().listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
