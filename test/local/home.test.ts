import { chmodSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalCloudError } from '../../src/local/errors.ts';
import { openHome } from '../../src/local/home.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-home-'));

test('a home is made with all its parents, and found again', () => {
  const home = join(folder, 'a', 'b');
  expect(openHome(home)).toEqual({ format: 2 });
  expect(openHome(home)).toEqual({ format: 2 });
});

test('an empty folder that becomes a home is closed to other users, one that is refused stays as it was', () => {
  const [taken, refused] = [join(folder, 'taken'), join(folder, 'refused')];
  for (const each of [taken, refused]) {
    mkdirSync(each);
    chmodSync(each, 0o755);
  }
  writeFileSync(join(refused, 'x'), '');
  openHome(taken);
  expect(() => openHome(refused)).toThrow(LocalCloudError);
  expect([taken, refused].map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o755]);
});

const file = join(folder, 'file');
writeFileSync(file, '');

test.each([
  ['below a file', join(file, 'home')],
  // Node's own recursive mkdir never comes back from this one.
  ['below a folder that takes no folders', '/proc/sluice/home'],
])('a home that cannot be made is refused with its path and what to do: %s', (_name, home) => {
  expect(() => openHome(home)).toThrow(
    expect.objectContaining({
      what: expect.stringContaining('cannot make its folder'),
      next: ['set SLUICE_HOME to a folder that can be written'],
    }),
  );
  expect(() => openHome(home)).toThrow(LocalCloudError);
});

test('a home that is a file is refused with its path and what to do', () => {
  expect(() => openHome(file)).toThrow(
    expect.objectContaining({
      name: 'LocalCloudError',
      what: `The local cloud cannot keep its state in ${file}.`,
      next: ['set SLUICE_HOME to a folder that can be written'],
    }),
  );
});
