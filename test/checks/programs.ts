import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CommandCheck, ImportsCheck, SuiteCheck } from '../../src/config/check-spec.ts';

/** A folder of one test with these files. */
export function folderWith(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-programs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** The argv of a Node program. */
export const node = (code: string, ...args: string[]): string[] => [process.execPath, '-e', code, ...args];

const base = {
  stages: ['candidate' as const],
  required: true,
  successes: 1,
  timeoutSeconds: 20,
  dir: '.',
  env: {},
};

export function commandCheck(command: string[], more: Partial<CommandCheck> = {}): CommandCheck {
  return {
    ...{ ...base, id: 'command', kind: 'command', command },
    ...{ exitCode: [0], output: { present: [], absent: [] }, ...more },
  };
}

export function suiteCheck(phases: SuiteCheck['phases'], more: Partial<SuiteCheck> = {}): SuiteCheck {
  return { ...base, id: 'suite', kind: 'suite', phases, latency: {}, tolerance: 0, ...more };
}

export function importsCheck(
  language: ImportsCheck['language'],
  more: Partial<ImportsCheck> = {},
): ImportsCheck {
  return {
    ...{ ...base, id: 'imports', kind: 'imports', stages: ['predeploy'], language },
    ...{ packages: [], python: ['python3'], ignore: [], ...more },
  };
}
