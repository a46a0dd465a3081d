import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderStore } from '../../src/ledger/folder-store.ts';
import { openStatements, type Signature } from '../../src/ledger/statements.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-statements-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const signature = (note: string): Signature => ({
  v: 1,
  environment: 'staging',
  service: 'chat',
  item: 'looks-right',
  outcome: 'passed',
  note,
  by: { git: 'ada@example.com', account: '' },
  at: '2026-11-27T08:00:00.000Z',
  revision: 'chat-r1',
  digest: 'sha256:aa',
});

test('keeps every signature, those of people who sign at once too', async () => {
  const statements = openStatements(folderStore(folder));
  const notes = Array.from({ length: 8 }, (_, n) => `note ${n}`);
  await Promise.all(notes.map((note) => statements.sign(signature(note))));
  const found = await statements.signatures({ environment: 'staging', service: 'chat' });
  expect(found.map(({ note }) => note).sort()).toEqual(notes);
  expect(await statements.signatures({ environment: 'production', service: 'chat' })).toEqual([]);
});

test('leaves out what is no statement', async () => {
  const store = folderStore(folder);
  const statements = openStatements(store);
  const release = '20261127T080000-staging-abcd';
  await store.create(`approvals/${release}/000001.json`, Buffer.from('{"v":1'));
  await statements.approve({
    v: 1,
    release,
    note: 'go',
    by: { git: 'ada@example.com', account: '' },
    at: '2026-11-27T08:00:00.000Z',
  });
  expect((await statements.approvals(release)).map(({ note }) => note)).toEqual(['go']);
});
