import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { root } from './kit.ts';

/** Who may import whom is held by the linter: each row is a folder and what it may not import. */
const forbidden: [folder: string, specifier: string][] = [
  ['src/plan', 'node:fs'],
  ['src/plan', '@google-cloud/run'],
  ['src/plan', '../cloud/run-adapter.ts'],
  ['src/plan', '../release/deploy.ts'],
  ['src/plan', '../local/server.ts'],
  ['src/startup', 'node:child_process'],
  ['src/startup', '../terminal/theme.ts'],
  ['src/gate', 'execa'],
  ['src/gate', '../ledger/ledger.ts'],
  ['src/report', 'node:http'],
  ['src/report', '../cloud/connect.ts'],
  ['src/report', '../release/stages/build.ts'],
  ['src/config', 'node:fs/promises'],
  ['src/config', '../plan/plan.ts'],
  ['src/checks', '@google-cloud/logging-api'],
  ['src/checks', '../gate/verdict-of.ts'],
  ['src/ledger', '@google-cloud/storage'],
  ['src/ledger', '../report/json.ts'],
  ['src/cloud', '../release/deploy.ts'],
  ['src/cloud', '../local/server.ts'],
  ['src/release', '../local/server.ts'],
  ['src/release', '../terminal/theme.ts'],
  ['src/release/stages', '../../local/server.ts'],
  ['src/terminal', '../local/server.ts'],
  ['src/local', '../config/target.ts'],
  ['src/local/run', '../../cloud/connect.ts'],
  ['commands', '@google-cloud/run'],
  ['commands', 'listr2'],
];

const allowed: [folder: string, specifier: string][] = [
  ['src/plan', '../cloud/ports/run.ts'],
  ['src/gate', '../release/state.ts'],
  ['src/release', '../cloud/ports/index.ts'],
  ['src/local/run', '../grpc.ts'],
  ['commands', '../src/report/json.ts'],
];

/** How a module can be reached. */
const roads: Record<string, (specifier: string) => string> = {
  static: (specifier) => `import * as all from '${specifier}';\n\nexport const x = all;\n`,
  type: (specifier) => `import type * as all from '${specifier}';\n\nexport type X = typeof all;\n`,
  dynamic: (specifier) => `export const x = import('${specifier}');\n`,
  again: (specifier) => `export * from '${specifier}';\n`,
};

/** Which of the files the linter refuses, by the rule that guards the folders; one run for all of them. */
async function refused(files: { folder: string; code: string }[]): Promise<boolean[]> {
  const checkout = await mkdtemp(join(tmpdir(), 'sluice-lint-'));
  onTestFinished(() => rm(checkout, { recursive: true, force: true }));
  const config = z.looseObject({}).parse(JSON.parse(await readFile(join(root, 'biome.json'), 'utf8')));
  const { $schema: _, ...rules } = config;
  await writeFile(join(checkout, 'biome.json'), JSON.stringify({ ...rules, vcs: { enabled: false } }));
  const names = files.map(({ folder }, index) => `${folder}/x${index}.ts`);
  for (const [index, { folder, code }] of files.entries()) {
    await mkdir(join(checkout, folder), { recursive: true });
    await writeFile(join(checkout, names[index] ?? ''), code);
  }
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const { stdout } = await execa(join(root, 'node_modules/.bin/biome'), args, {
    cwd: checkout,
    reject: false,
  });
  const found = diagnostics
    .parse(JSON.parse(stdout))
    .diagnostics.filter(({ category }) => category === guard);
  return names.map((name) => found.some(({ location }) => JSON.stringify(location.path).includes(name)));
}

const guard = 'lint/style/noRestrictedImports';
const diagnostics = z.object({
  diagnostics: z.array(z.object({ category: z.string(), location: z.looseObject({ path: z.unknown() }) })),
});

test('the linter refuses what a folder may not import, and nothing else', async () => {
  const rows = [...forbidden, ...allowed];
  const results = await refused(
    rows.map(([folder, specifier]) => ({ folder, code: roads['static']?.(specifier) ?? '' })),
  );
  const told = rows.map(
    ([folder, specifier], index) => `${folder} ${specifier}: ${results[index] ? 'refused' : 'let through'}`,
  );
  expect(told).toEqual([
    ...forbidden.map(([folder, specifier]) => `${folder} ${specifier}: refused`),
    ...allowed.map(([folder, specifier]) => `${folder} ${specifier}: let through`),
  ]);
});

test('whichever way it is imported', async () => {
  const ways = Object.entries(roads);
  const results = await refused(ways.map(([, code]) => ({ folder: 'src/plan', code: code('node:fs') })));
  expect(Object.fromEntries(ways.map(([way], index) => [way, results[index]]))).toEqual({
    static: true,
    type: true,
    dynamic: true,
    again: true,
  });
});
