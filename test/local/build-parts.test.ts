import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Header, Unpack } from 'tar';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { storeArtifacts } from '../../src/local/build/artifacts.ts';
import { sealContent } from '../../src/local/build/content.ts';
import { openImages, parseReference } from '../../src/local/build/image-store.ts';
import { findLaunch, splitWords } from '../../src/local/build/launch.ts';
import { buildEnvironment } from '../../src/local/build/npm.ts';
import { endProcessesIn } from '../../src/local/build/orphans.ts';
import { unpackSource } from '../../src/local/build/source.ts';
import { Substitution } from '../../src/local/build/substitutions.ts';
import { openStorage } from '../../src/local/storage/index.ts';
import { openTestJournal } from './harness.ts';
import { type ZipEntry, zipOf } from './zip-writer.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-parts-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Entry = {
  path: string;
  type: 'File' | 'SymbolicLink' | 'Link' | 'FIFO';
  linkpath?: string;
  body?: string;
};

/** An archive that no honest tool makes. */
function archive(entries: Entry[]): Buffer {
  const blocks = entries.flatMap(({ body = '', ...entry }) => {
    const header = new Header({ ...entry, size: body.length, mode: 0o644 });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    return [block, Buffer.from(body.padEnd(Math.ceil(body.length / 512) * 512, '\0'))];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

describe('a source archive', () => {
  test.each<[string, Entry]>([
    ['a path that climbs', { path: '../escape', type: 'File' }],
    ['a path that climbs later', { path: 'a/../../escape', type: 'File' }],
    ['an absolute path', { path: '/escape', type: 'File' }],
    ['a link out', { path: 'a/link', type: 'SymbolicLink', linkpath: '../../etc' }],
    ['an absolute link', { path: 'link', type: 'SymbolicLink', linkpath: '/etc' }],
    ['a hard link', { path: 'hard', type: 'Link', linkpath: 'good' }],
    ['a pipe', { path: 'pipe', type: 'FIFO' }],
  ])('with %s is refused, and nothing of it is written', async (_what, entry) => {
    const root = path.join(folder, 'root');
    mkdirSync(root);
    await expect(
      unpackSource(archive([{ path: 'good', type: 'File', body: 'x' }, entry]), root),
    ).rejects.toThrow();
    expect(readdirSync(root)).toEqual([]);
    expect(readdirSync(folder)).toEqual(['root']);
  });

  test('of nothing but zeros is refused after the first few', async () => {
    const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    await expect(unpackSource(zeros, folder)).rejects.toThrow('Unrecognized archive format');
  });

  test('that would unpack to too much is refused', async () => {
    const honest = gunzipSync(archive([{ path: 'good', type: 'File', body: 'x' }]));
    const claimed = honest.subarray(0, 512);
    // Another file of 1 GiB, of which only the header is there.
    const block = Buffer.alloc(512);
    new Header({ path: 'big', type: 'File', size: 1024 ** 3, mode: 0o644 }).encode(block, 0);
    await expect(
      unpackSource(gzipSync(Buffer.concat([claimed, honest.subarray(512, 1024), block])), folder),
    ).rejects.toThrow('bytes unpacked');
  });

  test.each<[string, ZipEntry, RegExp]>([
    ['a path that climbs', { name: '../escape' }, /invalid relative path|leaves the source/],
    ['a path that climbs later', { name: 'a/../../escape' }, /invalid relative path|leaves the source/],
    ['an absolute path', { name: '/escape' }, /absolute path|leaves the source/],
    ['a drive', { name: 'C:\\escape' }, /absolute path/],
    ['a link out', { name: 'a/link', body: '../../etc', mode: 0o120777 }, /'a\/link' leads out/],
    ['an absolute link', { name: 'link', body: '/etc', mode: 0o120777 }, /'link' leads out/],
    ['a device', { name: 'null', mode: 0o020666 }, /'null' is a CharacterDevice/],
    ['a pipe', { name: 'pipe', mode: 0o010644 }, /'pipe' is a FIFO/],
    ['a file behind a link', { name: 'good/inside' }, /behind a link|EEXIST|ENOTDIR/],
    ['more than it says', { name: 'lie', body: 'short', size: 1024 ** 3 }, /bytes unpacked|bytes/],
  ])('(.zip) with %s is refused, and nothing of it is written', async (_what, entry, why) => {
    const root = path.join(folder, 'root');
    mkdirSync(root);
    const first = { name: 'good', body: 'elsewhere', mode: 0o120777 };
    await expect(unpackSource(zipOf([first, entry]), root)).rejects.toThrow(why);
    expect(readdirSync(root)).toEqual([]);
    expect(readdirSync(folder)).toEqual(['root']);
  });

  test('with a link that leads out by way of another is refused', async () => {
    const links: Entry[] = [
      { path: 'a/b/c/top', type: 'SymbolicLink', linkpath: '../../..' },
      { path: 'out', type: 'SymbolicLink', linkpath: 'a/b/c/top/../..' },
    ];
    const zipped = links.map(({ path: name, linkpath = '' }) => ({ name, body: linkpath, mode: 0o120777 }));
    for (const [index, bytes] of [archive(links), zipOf(zipped)].entries()) {
      const root = path.join(folder, String(index));
      mkdirSync(root);
      await expect(unpackSource(bytes, root)).rejects.toThrow(/leads out of the source/);
    }
  });

  test('(.zip) comes out as it was packed', async () => {
    const entries = [
      { name: 'src/', mode: 0o040755 },
      { name: 'src/run.sh', body: 'echo', mode: 0o100755 },
      { name: 'src/link', body: 'run.sh', mode: 0o120777 },
      { name: 'deep/er/file', body: 'x' },
    ];
    await unpackSource(zipOf(entries), folder);
    expect(readFileSync(path.join(folder, 'src/link'), 'utf8')).toBe('echo');
    expect(statSync(path.join(folder, 'src/run.sh')).mode & 0o111).toBe(0o111);
    expect(readFileSync(path.join(folder, 'deep/er/file'), 'utf8')).toBe('x');
  });

  test('is unpacked no faster than the disk takes it', async () => {
    const [write, emit] = [vi.spyOn(Unpack.prototype, 'write'), vi.spyOn(Unpack.prototype, 'emit')];
    onTestFinished(() => {
      write.mockRestore();
      emit.mockRestore();
    });
    const body = 'x'.repeat(2 * 1024 * 1024);
    await unpackSource(
      archive(['a', 'b', 'c'].map((name) => ({ path: `${name}/file`, type: 'File', body }))),
      folder,
    );
    for (const name of ['a', 'b', 'c'])
      expect(statSync(path.join(folder, name, 'file')).size).toBe(body.length);
    const drains = emit.mock.invocationCallOrder.filter(
      (_at, index) => emit.mock.calls[index]?.[0] === 'drain',
    );
    const writes = write.mock.invocationCallOrder;
    const full = writes.filter((_at, index) => write.mock.results[index]?.value === false);
    expect(full.length).toBeGreaterThan(0);
    for (const at of full) {
      const next = writes[writes.indexOf(at) + 1] ?? Number.POSITIVE_INFINITY;
      expect(drains.some((drained) => at < drained && drained < next)).toBe(true);
    }
  });

  test('may hold links within itself', async () => {
    await unpackSource(
      archive([
        { path: 'a/file', type: 'File', body: 'hello' },
        { path: 'b/link', type: 'SymbolicLink', linkpath: '../a/file' },
      ]),
      folder,
    );
    expect(readFileSync(path.join(folder, 'b/link'), 'utf8')).toBe('hello');
  });
});

describe('a start command', () => {
  test.each([
    ['node server.js', ['node', 'server.js']],
    ['  node  --max-old-space-size=64 "a b.js" \'c\' ', ['node', '--max-old-space-size=64', 'a b.js', 'c']],
    ['node a.js && node b.js', undefined],
    ['PORT=1 node a.js', undefined],
    ['node $FILE', undefined],
    ['node `x`', undefined],
    ['node "$X"', undefined],
    ['node *.js', undefined],
    ['node a.js; rm x', undefined],
    ['node a.js > log', undefined],
    ['node ~/x', undefined],
    ['node a\\ b', undefined],
    ['node "open', undefined],
    ['', []],
  ])('%j is %j', (script, words) => {
    expect(splitWords(script)).toEqual(words);
  });

  test('words without a meaning to the shell are taken as they are', () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9_./:@-]{1,10}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        expect(splitWords(words.join(' '))).toEqual(words);
      }),
    );
  });

  test.each([
    [
      'Procfile before the start script',
      { scripts: { start: 'node b.js' } },
      'web: node a.js',
      ['node', 'a.js'],
    ],
    [
      'a shell where it is needed',
      { scripts: { start: 'node a.js && true' } },
      undefined,
      ['sh', '-c', 'node a.js && true'],
    ],
    [
      'npm where there are hooks',
      { scripts: { prestart: 'x', start: 'node a.js' } },
      undefined,
      ['npm', 'run', 'start'],
    ],
    ['main when it exists', { main: 'main.js', scripts: {} }, undefined, ['node', 'main.js']],
    ['server.js when main does not', { main: 'absent.js', scripts: {} }, 'worker: x', ['node', 'server.js']],
    [
      'a tool that is installed',
      { scripts: { start: 'tool --port 1' } },
      undefined,
      ['./node_modules/.bin/tool', '--port', '1'],
    ],
  ])('%s', (_what, manifest, procfile, command) => {
    mkdirSync(path.join(folder, 'node_modules/.bin'), { recursive: true });
    for (const name of ['main.js', 'server.js', 'node_modules/.bin/tool'])
      writeFileSync(path.join(folder, name), '');
    const launch = findLaunch(folder, { dependencies: {}, devDependencies: {}, ...manifest }, procfile);
    expect(launch?.command).toEqual(command);
  });
});

describe('an image', () => {
  async function digestOf(files: Record<string, string>, command = ['node', 'a.js']): Promise<string> {
    const root = mkdtempSync(path.join(folder, 'root-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
    }
    return (
      await openImages({ home: folder, journal: openTestJournal(folder) }).add(root, { command, env: {} })
    ).digest;
  }

  test('has a digest that only its content and its command change', async () => {
    const digest = await digestOf({ 'a.js': '1', 'b/c': '2' });
    expect(await digestOf({ 'b/c': '2', 'a.js': '1' })).toBe(digest);
    expect(await digestOf({ 'a.js': '1', 'b/c': '2', 'node_modules/.package-lock.json': 'x' })).not.toBe('');
    const others = [
      await digestOf({ 'a.js': '1', 'b/c': '3' }),
      await digestOf({ 'a.js': '1', 'b/d': '2' }),
      await digestOf({ 'a.js': '1', 'b/c': '2' }, ['node', 'b.js']),
      await digestOf({ 'a.js': '1', 'b/c': '2', d: '' }),
    ];
    expect(new Set([digest, ...others]).size).toBe(5);
  });

  test('knows an execute bit, and leaves out what npm only noted for itself', async () => {
    const files = { 'node_modules/x/i.js': '', 'run.sh': '' };
    expect(
      await digestOf({ ...files, 'node_modules/.package-lock.json': '1', 'node_modules/.cache/y': '2' }),
    ).toBe(await digestOf(files));
    writeFileSync(path.join(folder, 'x.sh'), '', { mode: 0o755 });
    writeFileSync(path.join(folder, 'y'), '', { mode: 0o644 });
    const kinds = (await sealContent(folder))
      .map((line) => JSON.parse(line))
      .filter(([name]) => /^(x\.sh|y)$/.test(name));
    expect(kinds.map(([, kind]) => kind)).toEqual(['executable', 'file']);
  });

  test('has no link that leads out', async () => {
    symlinkSync('/etc', path.join(folder, 'out'));
    await expect(sealContent(folder)).rejects.toThrow(/'out' leads out/);
  });

  test.each([
    ['chat', { repository: 'chat', tag: 'latest' }],
    ['gcr.io/p/chat:v1', { repository: 'gcr.io/p/chat', tag: 'v1' }],
    ['localhost:5000/chat', { repository: 'localhost:5000/chat', tag: 'latest' }],
    ['localhost:5000/chat:v1', { repository: 'localhost:5000/chat', tag: 'v1' }],
    [
      `a/b@sha256:${'0'.repeat(64)}`,
      { repository: 'a/b', tag: 'latest', digest: `sha256:${'0'.repeat(64)}` },
    ],
    ['UPPER', undefined],
    ['a/../b', undefined],
    ['a@sha256:short', undefined],
    ['', undefined],
  ])('reference %j', (reference, parsed) => {
    expect(parseReference(reference)).toEqual(parsed);
  });
});

test('a build sees where packages come from, and nothing else of the caller', () => {
  const env = buildEnvironment(
    {
      PATH: '/usr/bin:relative:/x/node_modules/.bin',
      HOME: '/home/me',
      SECRET_TOKEN: 's',
      npm_config_registry: 'https://r',
      npm_config_local_prefix: '/x',
      HTTPS_PROXY: 'http://p',
    },
    { home: '/b/home', npmCache: '/c' },
  );
  expect(env).toMatchObject({ HOME: '/b/home', npm_config_registry: 'https://r', HTTPS_PROXY: 'http://p' });
  expect(env['PATH']).toBe(`${path.dirname(process.execPath)}:/usr/bin`);
  expect(Object.keys(env)).not.toContain('SECRET_TOKEN');
  expect(Object.keys(env)).not.toContain('npm_config_local_prefix');
});

test.each([
  ['by a link', 'd/id'],
  ['by braces', '{..,q}/outside/id'],
  ['by braces in braces', '{{.,q}.,q}/outside/*'],
])('no artifact is taken from outside of the workspace %s', async (_what, pattern) => {
  const workspace = path.join(folder, 'workspace');
  for (const [name, text] of Object.entries({ 'workspace/in/id': 'ours', 'outside/id': "the host's" })) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  symlinkSync(path.join(folder, 'outside'), path.join(workspace, 'd'));
  symlinkSync('in', path.join(workspace, 'alias'));
  const storage = openStorage({ home: path.join(folder, 'home') });
  storage.ensureBucket('out', 'demo', 'eu');
  const store = (paths: string[]) =>
    storeArtifacts({ objects: { bucket: 'out', prefix: '', paths } }, workspace, {
      storage,
      folder,
      log() {},
    });
  await expect(store([pattern])).rejects.toThrow(`"${pattern}" leaves the workspace`);
  expect(await storage.readObject('out', 'id')).toBeUndefined();
  expect(await store(['alias/id'])).toMatchObject({ count: 1 });
  expect((await storage.readObject('out', 'id'))?.toString()).toBe('ours');
});

test('substitutions', () => {
  const strict = new Substitution({ A: '1', B: '2', _C: '' }, { loose: false });
  expect(strict.fill(`$A-\${B}-$$A-$_C.`)).toBe('1-2-$A-.');
  expect(() => strict.fill('$toString $NOPE')).toThrow(/"NOPE" is not a valid built-in/);
  expect(() => strict.fill('$_NOPE')).toThrow(/"_NOPE" is not matched/);
  expect(() => strict.checkAllUsed(['_C'])).not.toThrow();
  expect(() => strict.checkAllUsed(['_D'])).toThrow(/"_D"/);
  const loose = new Substitution({}, { loose: true });
  expect(loose.fill('[$_NOPE]')).toBe('[]');
  expect(() => loose.fill('$NOPE')).toThrow(/"NOPE"/);
});

test.runIf(process.platform === 'linux')(
  'what a killed cloud left working in its folder is ended',
  async () => {
    mkdirSync(path.join(folder, 'id'));
    const child = spawn('sleep', ['1000'], { cwd: path.join(folder, 'id'), stdio: 'ignore' });
    const exited = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
    await new Promise((resolve) => child.once('spawn', resolve));
    endProcessesIn(folder);
    expect(await exited).toBe('SIGKILL');
  },
);
