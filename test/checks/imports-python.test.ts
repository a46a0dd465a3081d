import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkImports } from '../../src/checks/imports.ts';
import type { ImportsCheck } from '../../src/config/check-spec.ts';
import { listSource } from '../../src/release/source.ts';
import { contextFor, programSetting } from './given.ts';
import { folderWith, importsCheck } from './programs.ts';

const { signal } = new AbortController();

function pythonIsHere(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function check(files: Record<string, string>, more: Partial<ImportsCheck> = {}) {
  const folder = folderWith(files);
  const before = readdirSync(folder, { recursive: true });
  const program = programSetting({ sourceDir: folder, sourceFiles: () => listSource(folder) });
  const spec = importsCheck('python', { packages: ['app'], ...more });
  const outcome = await checkImports(spec, contextFor('', { program, stage: 'predeploy' }), signal);
  expect(readdirSync(folder, { recursive: true }), 'the source is left as it was').toEqual(before);
  return outcome.status === 'passed' ? outcome.reason : (outcome.output ?? [outcome.reason]).join('\n');
}

const init = { 'app/__init__.py': '' };

const broken: [what: string, files: Record<string, string>, told: string | RegExp][] = [
  [
    'a module that was moved away',
    { ...init, 'app/main.py': 'import os\nfrom app.services.monitoring import start' },
    "app/main.py:2 ModuleNotFoundError: No module named 'app.services' (importing app.main)",
  ],
  [
    'a name that moved, told once for all who import it',
    {
      ...init,
      'app/db/__init__.py': '',
      'app/db/session.py': 'def get_database_manager(): ...',
      'app/factory.py': 'from app.db.session import get_db_session_factory',
      'app/main.py': 'from app import factory',
    },
    /^app\/factory\.py:1 ImportError: cannot import name 'get_db_session_factory' from 'app\.db\.session' \(.*\) \(importing app\.factory and 1 more\)$/,
  ],
  [
    'a name that is not defined, beneath what is made of it',
    {
      ...init,
      'app/base.py': 'def connect(m: DatabaseSessionManager): ...',
      'app/main.py':
        'try:\n    import app.base\nexcept Exception as error:\n    raise RuntimeError("startup failed")',
    },
    "app/base.py:1 NameError: name 'DatabaseSessionManager' is not defined (importing app.base and 1 more)",
  ],
  [
    'code that does not compile',
    { ...init, 'app/main.py': 'x = 1\ndef f(:\n  pass' },
    /^app\/main\.py:2 SyntaxError: .* \(importing app\.main\)$/,
  ],
  [
    'a module that exits',
    { ...init, 'app/a.py': 'import sys\nsys.exit("no DATABASE_URL")' },
    'app/a.py:2 SystemExit: no DATABASE_URL (importing app.a)',
  ],
  [
    'a module that kills the interpreter',
    { ...init, 'app/a.py': 'import os\nprint("giving up", flush=True)\nos._exit(9)', 'app/b.py': '' },
    'importing app.a: Python exited with 9; it ended: "giving up"',
  ],
  [
    'a module that is here and not uploaded',
    { ...init, 'app/main.py': 'import app.local', 'app/local.py': '', '.gcloudignore': 'local.py' },
    'app/local.py is imported, but is not uploaded (see .gcloudignore and .gitignore)',
  ],
];

describe.skipIf(!pythonIsHere())('Python (skipped without a python3): an import fails for', () => {
  test.each(broken)('%s', async (_, files, told) => {
    const found = await check(files);
    if (typeof told === 'string') expect(found).toBe(told);
    else expect(found).toMatch(told);
  });

  test('a module that never ends', async () => {
    const files = { ...init, 'app/a.py': 'while True: pass' };
    expect(await check(files, { timeoutSeconds: 1.5 })).toMatch(
      /^importing app\.a: it did not end within 1\.5 s/,
    );
  });

  test('a package that is not there', async () => {
    expect(await check(init, { packages: ['app', 'netra'] })).toBe('. has no module netra that is uploaded');
  });
});

describe.skipIf(!pythonIsHere())('Python (skipped without a python3): fine are', () => {
  const fine: [what: string, files: Record<string, string>, more: Partial<ImportsCheck>, count: number][] = [
    ['modules that find each other', { ...init, 'app/a.py': 'from . import b', 'app/b.py': '' }, {}, 3],
    [
      'a package below the source',
      { 'src/app/__init__.py': 'import app.a', 'src/app/a.py': '' },
      { dir: 'src' },
      2,
    ],
    [
      'a fallback',
      { ...init, 'app/a.py': 'try:\n  import ujson\nexcept ImportError:\n  import json' },
      {},
      2,
    ],
    ['what would run', { ...init, 'app/__main__.py': 'raise SystemExit(1)' }, {}, 1],
    [
      'what is ignored',
      { ...init, 'app/migrations/__init__.py': '', 'app/migrations/env.py': '1/0' },
      { ignore: ['app/migrations/env.py'] },
      2,
    ],
    [
      'folders that are no packages, and names that are no modules',
      { ...init, 'app/data/x.py': '1/0', 'app/0001_init.py': '1/0' },
      {},
      1,
    ],
    [
      'a thread that would go on',
      {
        ...init,
        'app/a.py': 'import threading, time\nthreading.Thread(target=lambda: time.sleep(60)).start()',
      },
      {},
      2,
    ],
    [
      'a module that reads a variable',
      { 'app.py': 'import os\nassert os.environ["MODE"] == "check"' },
      { env: { MODE: 'check' } },
      1,
    ],
  ];

  test.each(fine)('%s', async (_, files, more, count) => {
    expect(await check(files, more)).toBe(`${count} modules of app import`);
  });
});

test('an interpreter that is not there is told', async () => {
  expect(await check(init, { python: ['no-python-here'] })).toMatch(/^no-python-here could not be started/);
});
