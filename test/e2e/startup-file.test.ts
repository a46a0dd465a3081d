import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { profileSchema, type RevisionProfile } from '../../src/startup/profile.ts';
import { makePlace, root } from './kit.ts';

const place = await makePlace({ 'README.md': 'no sluice.yaml here: a file needs none' });
const { sluice } = place;
const corpus = process.env['SLUICE_CORPUS'] ?? join(root, '../shared/corpus');

const reportSchema = z.strictObject({ version: z.literal(1), revisions: z.array(profileSchema.strict()) });

async function read(file: string): Promise<RevisionProfile[]> {
  const { exitCode, stdout, stderr } = await sluice(['startup', '--file', file, '--json']);
  expect([exitCode, stderr]).toEqual([0, '']);
  return reportSchema.parse(JSON.parse(stdout)).revisions;
}

describe.skipIf(!existsSync(corpus))('the corpus (skipped where ../shared/corpus is absent)', () => {
  test.each(['startup-success.json', 'startup-success-plain.json'])('%s', async (file) => {
    const [profile] = await read(join(corpus, file));
    expect(profile).toMatchObject({ outcome: 'started', totalSeconds: 19.501, rootCause: null });
    expect(profile?.phases).toHaveLength(7);
    expect(profile?.phases.every(({ outcome }) => outcome === 'completed')).toBe(true);
    expect(profile?.phases.find(({ name }) => name === 'DEPENDENCIES')).toMatchObject({
      seconds: 14.084,
      share: 0.722,
    });
    for (const name of ['Database', 'Redis', 'LLM Manager', 'Chat Pipeline', 'Agent Bridge']) {
      expect(profile?.systems).toContainEqual(expect.objectContaining({ name, status: 'healthy' }));
    }
    expect(profile?.findings.filter(({ severity }) => severity === 'fatal')).toEqual([]);
    expect(profile?.findings.some(({ severity }) => severity === 'error')).toBe(true);
    expect(profile?.findings.some(({ severity }) => severity === 'warning')).toBe(true);
  });

  test('crash-loop-import-error.json', async () => {
    const [profile] = await read(join(corpus, 'crash-loop-import-error.json'));
    expect(profile?.outcome).toBe('crash-loop');
    expect(profile?.rootCause?.cause).toContain(
      "ModuleNotFoundError: No module named 'netra_backend.app.services.monitoring'",
    );
    expect(profile?.findings.map(({ cause }) => cause).join('\n')).toMatch(/exit code 3|exit\(3\)/);
  });

  test('database-timeout.json', async () => {
    const profiles = await read(join(corpus, 'database-timeout.json'));
    const failed = profiles.filter(({ outcome }) => outcome !== 'started');
    expect(failed.length).toBeGreaterThanOrEqual(2);
    expect(new Set(profiles.map(({ revision }) => revision)).size).toBe(profiles.length);
    const told = failed.map(({ rootCause }) => `${rootCause?.category} ${rootCause?.cause}`).join('\n');
    expect(told).toMatch(/database/i);
    expect(JSON.stringify(profiles)).toContain('/cloudsql/netra-staging:us-central1:staging-shared-postgres');
    expect(failed.flatMap(({ phases }) => phases)).toContainEqual(
      expect.objectContaining({ name: 'DATABASE', outcome: 'failed' }),
    );
  });

  test('websocket-403.json', async () => {
    const findings = (await read(join(corpus, 'websocket-403.json'))).flatMap((profile) => profile.findings);
    expect(findings.map(({ category }) => category)).toContain('websocket');
    expect(findings.map(({ cause }) => cause).join('\n')).toContain('403');
  });

  test('stdin, as text, for one revision', async () => {
    const input = await readFile(join(corpus, 'crash-loop-import-error.json'), 'utf8');
    const { exitCode, stdout } = await sluice(['startup', '--file', '-'], { input });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('ModuleNotFoundError');
  });
});

describe('what cannot be read ends with 2 and says why', () => {
  beforeAll(async () => {
    await mkdir(join(place.dir, 'folder'));
    await place.write('text.json', 'gcloud: command not found');
    await place.write('half.json', '[{"insertId": "a"');
    await place.write('empty.json', '');
  });

  test.each([
    ['missing.json', /^✖ missing\.json cannot be read.*\n→ gcloud logging read/],
    ['folder', /^✖ folder cannot be read/],
    ['text.json', /^✖ text\.json cannot be read/],
    ['half.json', /^✖ half\.json cannot be read/],
    ['empty.json', /^✖ empty\.json cannot be read/],
  ])('%s', async (file, message) => {
    const { exitCode, stdout, stderr } = await sluice(['startup', '--file', file]);
    expect(stderr).toMatch(message);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test('empty stdin', async () => {
    const { exitCode, stderr } = await sluice(['startup', '--file', '-']);
    expect(stderr).toMatch(/^✖ stdin cannot be read/);
    expect(exitCode).toBe(2);
  });
});

test('no entries are no revisions; what is no entry is counted', async () => {
  await place.write('none.json', '[]');
  expect(await read('none.json')).toEqual([]);
  const entry = { insertId: 'a', timestamp: '2026-01-01T00:00:00Z', textPayload: 'hello' };
  await place.write('odd.json', JSON.stringify([1, 'two', null, entry]));
  const { exitCode, stdout, stderr } = await sluice(['startup', '--file', 'odd.json', '--json']);
  expect(exitCode).toBe(0);
  expect(() => reportSchema.parse(JSON.parse(stdout))).not.toThrow();
  expect(stderr).toContain('3 of 4 items were no log entries');
});

test('hostile lines are shown without their escapes', async () => {
  const esc = String.fromCharCode(27);
  const entry = {
    insertId: 'a',
    timestamp: '2026-01-01T00:00:00Z',
    severity: 'ERROR',
    resource: {
      type: 'cloud_run_revision',
      labels: { service_name: 'chat', revision_name: `chat-1${esc}[31m` },
    },
    textPayload: `${esc}]0;title\u0007::set-env name=X::y\nModuleNotFoundError: No module named '${esc}[2Jx'`,
  };
  await place.write('hostile.json', JSON.stringify([entry]));
  const { exitCode, stdout } = await sluice(['startup', '--file', 'hostile.json']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('ModuleNotFoundError');
  expect(stdout).not.toMatch(/^::/m);
});
