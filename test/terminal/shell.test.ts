import { expect, test } from 'vitest';
import { exportLines } from '../../src/terminal/shell.ts';

test.each([
  ['sh', `export A='it'\\''s \\ ‘’‚‛'`],
  ['fish', `set -gx A 'it\\'s \\\\ ‘’‚‛'`],
  // PowerShell ends a text at any of them that does not stand twice.
  ['powershell', `$env:A = 'it''s \\ ‘‘’’‚‚‛‛'`],
] as const)('what stands in a value is no %s', (shell, line) => {
  expect(exportLines({ A: `it's \\ ‘’‚‛` }, shell)).toEqual([line]);
});
