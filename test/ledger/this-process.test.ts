import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { hasEndedHere, thisHost } from '../../src/ledger/this-process.ts';

const { pid: ended } = spawnSync(process.execPath, ['-e', '']);

test.each([
  ['a process that has ended', thisHost(), ended, true],
  ['this process', thisHost(), process.pid, false],
  ['a pid of another host, whatever it is here', 'elsewhere', ended, false],
])('the holder of a lock: %s', (_name, host, pid, gone) => {
  expect(hasEndedHere({ host, pid })).toBe(gone);
});
