import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkImports } from '../../src/checks/imports.ts';
import type { ImportsCheck } from '../../src/config/check-spec.ts';
import { listSource } from '../../src/release/source.ts';
import { contextFor, programSetting } from './given.ts';
import { folderWith, importsCheck } from './programs.ts';

const { signal } = new AbortController();

async function check(
  files: Record<string, string>,
  more: Partial<ImportsCheck> = {},
  folder = folderWith(files),
) {
  const program = programSetting({ sourceDir: folder, sourceFiles: () => listSource(folder) });
  const outcome = await checkImports(
    importsCheck('node', more),
    contextFor('', { program, stage: 'predeploy' }),
    signal,
  );
  return outcome.status === 'passed' ? outcome.reason : (outcome.output ?? [outcome.reason]).join('\n');
}

const manifest = JSON.stringify({
  name: 'chat',
  dependencies: { ws: '8', '@google-cloud/run': '4' },
  devDependencies: { vitest: '5' },
  imports: { '#db/*': './src/db/*.js' },
});

const broken: [what: string, files: Record<string, string>, told: string][] = [
  [
    'a module that was moved away',
    { 'src/app.js': "import './a.js';\n\nimport { x } from './services/monitoring.js';", 'src/a.js': '' },
    'src/app.js:3 imports "./services/monitoring.js": no such file',
  ],
  ['a re-export', { 'a.js': "export * from './gone.js';" }, 'a.js:1 imports "./gone.js": no such file'],
  [
    'a CommonJS require',
    { 'a.cjs': "const { b } = require('./gone').c;" },
    'a.cjs:1 imports "./gone": no such file',
  ],
  [
    'a require whose result is called at once',
    { 'a.js': "const app = {};\nrequire('./routes')(app);" },
    'a.js:2 imports "./routes": no such file',
  ],
  [
    'a TypeScript source, by the name it is compiled to',
    { 'a.ts': "import type { T } from './types-only.js';\nimport { b } from './gone.js';\nenum E { A }" },
    'a.ts:2 imports "./gone.js": no such file',
  ],
  [
    'JSX in TypeScript',
    { 'a.tsx': "import B from './B';\nexport const c = <B x={1} />;" },
    'a.tsx:1 imports "./B": no such file',
  ],
  [
    'a package that nobody declared',
    { 'a.js': "import pg from 'pg/lib/client.js';\nimport '@scope/name/deep';" },
    'a.js:1 imports "pg/lib/client.js": pg is not in the dependencies of package.json\na.js:2 imports "@scope/name/deep": @scope/name is not in the dependencies of package.json',
  ],
  [
    'a name that its module no longer exports',
    {
      'a.js': "import { getDbSessionFactory, ok } from './session.js';",
      'session.js': "export const { ok } = {};\nexport { y as z } from './manager.js';",
      'manager.js': 'export function y() {}',
    },
    'a.js:1 imports "./session.js": session.js does not export getDbSessionFactory',
  ],
  [
    'a name behind re-exports',
    {
      'a.js': "import { x } from './b.js';",
      'b.js': "export * from './c.js';",
      'c.js': "export * from './b.js';",
    },
    'a.js:1 imports "./b.js": b.js does not export x',
  ],
  [
    'a default export that is not there',
    { 'a.js': "import b from './b.js';", 'b.js': 'export const b = 1;' },
    'a.js:1 imports "./b.js": b.js does not export default',
  ],
  [
    'another case of letters, which only some disks forgive',
    { 'a.js': "import './Store.js';", 'store.js': '' },
    'a.js:1 imports "./Store.js": no such file',
  ],
  [
    'an import of a parent folder',
    { 'a.js': "import '../shared.js';" },
    'a.js:1 imports "../shared.js": it is outside of the source, which alone is uploaded',
  ],
  [
    'a file that is ignored',
    { 'a.js': "import './config.local.js';", 'config.local.js': '', '.gcloudignore': '*.local.js' },
    'a.js:1 imports "./config.local.js": config.local.js is here, but is not uploaded (see .gcloudignore and .gitignore)',
  ],
  [
    'a subpath that package.json does not know',
    { 'a.js': "import '#queue/x';" },
    'a.js:1 imports "#queue/x": package.json has no such key under `imports`',
  ],
  [
    'code that does not parse',
    { 'a.js': 'const a = 1;\nlet b c;' },
    'a.js:2 does not parse: Missing semicolon. (2:5)',
  ],
  [
    'a folder without code',
    { 'README.md': '' },
    '. has no file of JavaScript or TypeScript that is uploaded',
  ],
];

describe('an import is found to lead nowhere:', () => {
  test.each(broken)('%s', async (_, files, told) => {
    expect(await check({ 'package.json': manifest, ...files })).toBe(told);
  });
});

const fine: [what: string, files: Record<string, string>][] = [
  [
    'Node itself and declared packages',
    {
      'a.mjs':
        "import 'node:fs'; import 'fs/promises'; import 'ws'; import '@google-cloud/run/x'; import 'vitest';",
    },
  ],
  ['the package itself and its subpaths', { 'a.js': "import 'chat/a.js'; import '#db/store';" }],
  [
    'a dynamic import, and a require in a function',
    { 'a.js': "export const load = () => import('./gone.js');\nfunction f() { require('./gone'); }" },
  ],
  [
    'a require that may fail',
    {
      'a.cjs':
        "try { require('./native'); } catch {}\nif (process.env.X) require('./gone');\nconst p = require(process.argv[2]);",
    },
  ],
  [
    'files without their extension, folders, JSON',
    {
      'a.cjs': "require('./b'); require('./c'); require('./d.json');",
      'b.js': '',
      'c/index.js': '',
      'd.json': '{}',
    },
  ],
  [
    'TypeScript by its compiled name',
    {
      'a.ts': "import { b } from './b.js'; import { C } from './c.mjs'; import { D } from './d';",
      'b.ts': 'export const b = 1;',
      'c.mts': 'export class C {}',
      'd.d.ts': 'export declare const D: 1;',
    },
  ],
  [
    'types among the names',
    {
      'a.ts': "import { type T, I, b } from './b.ts';",
      'b.ts': 'export interface I {}\nexport function b() {}',
    },
  ],
  ['names of CommonJS', { 'a.mjs': "import { x } from './b.cjs';", 'b.cjs': 'module.exports = { x: 1 };' }],
  [
    'names that a package may bring',
    { 'a.js': "import { x } from './b.js';", 'b.js': "export * from 'ws';" },
  ],
  [
    'names behind re-exports',
    {
      'a.js': "import { x, ns } from './b.js';",
      'b.js': "export * from './c.js';\nexport * as ns from './c.js';",
      'c.js': 'export let [x] = [];',
    },
  ],
  [
    'aliases of tsconfig',
    {
      'a.ts': "import '@app/b'; import 'lib/c';",
      'tsconfig.json':
        '{ "compilerOptions": { "baseUrl": ".", "paths": { "@app/*": ["src/*"] } } } // comment',
      'src/b.ts': '',
      'lib/c.ts': '',
    },
  ],
  [
    'what a bundler knows',
    {
      'a.js':
        "import logo from './logo.svg?raw'; import '@/x'; import '~/y'; import '/abs.js'; import 'virtual:pwa'; import 'https://esm.sh/x';",
      'logo.svg': '',
    },
  ],
  [
    'packages of a workspace',
    {
      'apps/a.js': "import 'shared';",
      'packages/shared/package.json': '{"name":"shared"}',
      'package.json': '{}',
    },
  ],
  [
    'JSX, Flow and decorators',
    {
      'a.js': '// @flow\ntype A = number;\nexport const a = <div />;',
      'b.ts': 'class C { constructor(@Inject() private x: any) {} }',
    },
  ],
];

describe('an import is left alone:', () => {
  test.each(fine)('%s', async (_, files) => {
    expect(await check({ 'package.json': manifest, ...files })).toMatch(/imports? of \d+ modules? resolve/);
  });
});

test('an installed package needs no declaration', async () => {
  const folder = folderWith({ 'src/a.js': "import 'pg';", 'package.json': '{}' });
  mkdirSync(join(folder, 'node_modules/pg'), { recursive: true });
  expect(await check({}, {}, folder)).toBe('1 imports of 1 modules resolve');
});

test('what is ignored is not looked at, and imports of it are not judged', async () => {
  const files = {
    'src/a.js': "import './generated/client.js';",
    'test/broken.js': "import './gone.js';",
    'package.json': '{}',
  };
  expect(await check(files, { ignore: ['src/generated/', 'test/'] })).toMatch(/resolve/);
  expect(await check(files, { dir: 'src' })).toBe('src/a.js:1 imports "./generated/client.js": no such file');
});
