import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findBaseImage } from '../../src/local/build/dockerfile/base-images.ts';
import { type CopySource, copyInto, openContext } from '../../src/local/build/dockerfile/copy.ts';
import { execForm, parseDockerfile } from '../../src/local/build/dockerfile/parse.ts';
import { enterFolder, type Stage } from '../../src/local/build/dockerfile/stage.ts';
import { listTree } from '../../src/local/build/dockerfile/tree.ts';
import { expand, readPairs, splitWords } from '../../src/local/build/dockerfile/words.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-dockerfile-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a Dockerfile', () => {
  test('is read instruction by instruction, with the line that each begins at', () => {
    const text = [
      '# syntax=docker/dockerfile:1',
      '',
      'from node:22 as build',
      'RUN npm ci && \\',
      '    # said in between',
      '',
      '    npm test',
      'COPY --from=build --chown=node:node a b \\',
      '  ./',
      'CMD ["node", "a b.js"]\r',
    ].join('\n');
    expect(parseDockerfile(text)).toMatchObject([
      { line: 3, keyword: 'FROM', rest: 'node:22 as build', flags: [] },
      { line: 4, keyword: 'RUN', rest: 'npm ci &&     npm test' },
      {
        line: 8,
        keyword: 'COPY',
        rest: 'a b   ./',
        flags: [
          { name: 'from', value: 'build' },
          { name: 'chown', value: 'node:node' },
        ],
      },
      { line: 10, keyword: 'CMD', rest: '["node", "a b.js"]' },
    ]);
  });

  test.each([
    ['', /cannot be empty/],
    ['# only words', /cannot be empty/],
    ['FROM node\n\nRUN <<EOF\nnpm ci\nEOF', /Dockerfile:3: RUN: .*here-documents/],
    ['FROM node\nCOPY <<"EOF" /x\nx\nEOF', /Dockerfile:2: COPY: .*here-documents/],
    ['# escape=`\nFROM node', /Dockerfile:1: .*escape/],
    ['RUN x\n'.repeat(3000), /more than 2000 instructions/],
  ])('%j is refused', (text, why) => {
    expect(() => parseDockerfile(text)).toThrow(why);
  });

  test.each([
    ['["a", "b c"]', ['a', 'b c']],
    ['[]', []],
    ["['a']", undefined],
    ['[1]', undefined],
    ['[ -f x ]', undefined],
    ['node x', undefined],
  ])('%s as exec form is %j', (rest, words) => {
    expect(execForm({ rest })).toEqual(words);
  });
});

describe('words', () => {
  const variables = { A: 'x y', EMPTY: '', DIR: '/app' };

  test.each([
    ['a  "b c" \'$A\' $A', ['a', 'b c', '$A', 'x y']],
    [`\${A}z \${NOPE}`, ['x yz', '']],
    [`\${NOPE:-d}/\${A:-d} \${A:+set} "\${EMPTY:-$}"`, ['d/x y', 'set', '$']],
    [`\${NOPE:-\${DIR}/x}`, ['/app/x']],
    ['a\\ b \\$A "\\$A" \\\\', ['a b', '$A', '$A', '\\']],
  ])('%s', (text, words) => {
    expect(splitWords(text, variables)).toEqual(words);
  });

  test.each([['"open'], ["'open"], [`\${A%x}`], [`\${A:?x}`]])('%s is refused', (text) => {
    expect(() => expand(text, variables)).toThrow();
  });

  test.each([
    [
      'A=1 B="two words" C=$DIR/x',
      [
        ['A', '1'],
        ['B', 'two words'],
        ['C', '/app/x'],
      ],
    ],
    ['OLD some value', [['OLD', 'some value']]],
    ['URL http://x/?a=b', [['URL', 'http://x/?a=b']]],
  ])('pairs of %s', (text, pairs) => {
    expect(readPairs(text, variables)).toEqual(pairs);
  });
});

describe('COPY', () => {
  function lay(root: string, files: Record<string, string>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), content);
    }
  }

  async function copied(
    ignore: string | undefined,
    ...words: [string, string, ...string[]]
  ): Promise<string[]> {
    const [context, root] = [path.join(folder, 'context'), path.join(folder, 'root')];
    lay(context, {
      'package.json': '',
      'package-lock.json': '',
      'src/a.js': '',
      'src/deep/b.js': '',
      '.env': '',
    });
    if (ignore !== undefined) writeFileSync(path.join(context, '.dockerignore'), ignore);
    mkdirSync(root);
    const sources = words.slice(0, -1);
    const source = await openContext(context, path.join(context, 'Dockerfile'));
    await copyInto(root, source, { sources, destination: words.at(-1) ?? '', workdir: '/app' });
    return (await listTree(root))
      .filter(({ kind }) => kind === 'file')
      .map(({ name }) => name)
      .sort();
  }

  test.each<[string, string | undefined, [string, string, ...string[]], string[]]>([
    ['a file to a file', undefined, ['package.json', 'p.json'], ['app/p.json']],
    ['a file to a folder', undefined, ['package.json', './'], ['app/package.json']],
    ['by a pattern', undefined, ['package*.json', '/x/'], ['x/package-lock.json', 'x/package.json']],
    ["a folder's content", undefined, ['src', 'lib'], ['app/lib/a.js', 'app/lib/deep/b.js']],
    [
      'everything',
      '.env\n**/deep\n.dockerignore',
      ['.', '.'],
      ['app/package-lock.json', 'app/package.json', 'app/src/a.js'],
    ],
    ['an exception', '*\n!src/deep/b.js', ['.', '/'], ['src/deep/b.js']],
  ])('%s', async (_what, ignore, words, files) => {
    expect(await copied(ignore, ...words)).toEqual(files);
  });

  test.each<[string, string | undefined, [string, string, ...string[]], RegExp]>([
    ['what is not there', undefined, ['nope', '.'], /stat nope: file does not exist/],
    ['what is left out', '.env', ['.env', '.'], /excluded by .dockerignore/],
    ['what is above', undefined, ['../x', '.'], /outside the build context/],
    ['two into a file', undefined, ['package.json', '.env', 'x'], /must be a directory and end with a \//],
  ])('%s is refused', async (_what, ignore, words, why) => {
    await expect(copied(ignore, ...words)).rejects.toThrow(why);
  });

  test('nothing is written through a link that leads out, and none is taken along', async () => {
    const [context, root] = [path.join(folder, 'context'), path.join(folder, 'root')];
    lay(context, { x: 'new' });
    lay(folder, { 'outside/x': 'old' });
    mkdirSync(root);
    symlinkSync(path.join(folder, 'outside'), path.join(root, 'app'));
    const source = await openContext(context, 'Dockerfile');
    const copy = { sources: ['x'], destination: '.', workdir: '/app' };
    await expect(copyInto(root, source, copy)).rejects.toThrow(/leads out of the folder/);
    expect(readFileSync(path.join(folder, 'outside/x'), 'utf8')).toBe('old');
    symlinkSync('/etc', path.join(context, 'etc'));
    await expect(openContext(context, 'Dockerfile')).rejects.toThrow(/'etc' leads out of the build context/);
  });

  test('nor is anything by way of a link below the target, up from it, or to what is not there yet', async () => {
    const [context, root] = [path.join(folder, 'context'), path.join(folder, 'root')];
    const outside = path.join(folder, 'outside');
    lay(context, { 'conf/x': 'new', 'deep/conf/x': 'new', 'in/file': 'new' });
    symlinkSync('../../../x', path.join(context, 'deep/conf/up'));
    for (const made of [path.join(root, 'app'), path.join(root, 'real'), outside])
      mkdirSync(made, { recursive: true });
    symlinkSync(outside, path.join(root, 'app/conf'));
    symlinkSync(path.join(outside, 'later'), path.join(root, 'later'));
    symlinkSync('real', path.join(root, 'in'));
    const source: CopySource = { root: context, entries: await listTree(context) };
    const copy = (from: string, destination: string) =>
      copyInto(root, source, { sources: [from], destination, workdir: '/' });
    await expect(copy('.', '/app/')).rejects.toThrow("'/app/conf' leads out of the folder");
    await expect(copy('conf', '/later/a')).rejects.toThrow("'/later/a' leads out of the folder");
    await expect(copy('deep/conf/', '/')).rejects.toThrow("the link 'up' leads out of the folder");
    await copy('in', '/in');
    expect(readFileSync(path.join(root, 'real/file'), 'utf8')).toBe('new');

    const stage: Stage = {
      ...{ index: 0, name: '', root, env: {}, args: {}, workdir: '/', entrypoint: [], command: [] },
      ...{ labels: {}, shell: [], ownCommand: false },
    };
    await expect(enterFolder(stage, '/app/conf/new')).rejects.toThrow(/leads out of the folder/);
    await expect(enterFolder(stage, '/later')).rejects.toThrow(/leads out of the folder/);
    expect(readdirSync(outside)).toEqual([]);
  });
});

test.each([
  ['node:22-slim', ['node']],
  ['docker.io/library/node@sha256:00', ['node']],
  ['mirror.gcr.io/library/alpine:3', ['sh']],
  ['gcr.io/distroless/nodejs22-debian12:nonroot', []],
  ['scratch', []],
  ['golang:1.22', undefined],
  ['gcr.io/p/node', undefined],
  ['nodered/node', undefined],
])('base image %s', (reference, command) => {
  expect(findBaseImage(reference)?.command).toEqual(command);
});
