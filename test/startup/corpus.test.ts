import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEntriesText } from '../../src/startup/entries.ts';
import { defaultFormats } from '../../src/startup/presets.ts';
import type { StartupReport } from '../../src/startup/profile.ts';
import { createStartupReader } from '../../src/startup/reader.ts';

const corpus = process.env['SLUICE_CORPUS'] ?? '../shared/corpus';
const present = existsSync(join(corpus, 'README.md'));

const load = (file: string) => parseEntriesText(readFileSync(join(corpus, file), 'utf8')).entries;

function reportOf(entries: ReturnType<typeof load>): StartupReport {
  const reader = createStartupReader({ formats: defaultFormats });
  for (const entry of entries) reader.push(entry);
  return reader.report();
}

function only(file: string) {
  const [profile, ...rest] = reportOf(load(file)).revisions;
  if (!profile || rest.length > 0) throw new Error(`${file} does not hold exactly one revision`);
  return profile;
}

describe.skipIf(!present)(`the corpus (skipped where ${corpus} is absent)`, () => {
  const phases = [
    ['INIT', 2.415, 0.124],
    ['DEPENDENCIES', 14.084, 0.722],
    ['DATABASE', 0.747, 0.038],
    ['CACHE', 0.026, 0.001],
    ['SERVICES', 1.262, 0.065],
    ['WEBSOCKET', 0.531, 0.027],
    ['FINALIZE', 0.433, 0.022],
  ];
  test.each(['startup-success.json', 'startup-success-plain.json'])('%s', (file) => {
    const profile = only(file);
    expect(profile).toMatchObject({ outcome: 'started', totalSeconds: 19.501, rootCause: null });
    expect(profile.phases.map((phase) => [phase.name, phase.seconds, phase.share])).toEqual(phases);
    expect(profile.phases.every((phase) => phase.outcome === 'completed')).toBe(true);
    expect(profile.systems).toEqual([
      { name: 'Database', status: 'healthy', detail: 'Connected & Validated' },
      { name: 'Redis', status: 'healthy', detail: 'Connected & Available' },
      { name: 'LLM Manager', status: 'healthy', detail: 'Initialized & Ready' },
      { name: 'Chat Pipeline', status: 'healthy', detail: 'Operational & WebSocket-Enabled' },
      { name: 'Agent Bridge', status: 'healthy', detail: 'Integrated & Health Verified' },
      { name: 'Chat functionality', status: 'healthy', detail: 'FULLY OPERATIONAL' },
    ]);
    expect(profile.findings.map((finding) => [finding.severity, finding.count, finding.cause])).toEqual([
      ['error', 1, 'SessionMiddleware must be installed to access request.session'],
      ['warning', 1, 'Step 26: ClickHouse skipped: Docker unavailable in Cloud Run'],
      ['warning', 1, 'COMPONENTS WITH ZERO COUNTS DETECTED:'],
      ['warning', 1, 'Monitoring: zero handlers registered'],
    ]);
  });

  test('crash-loop-import-error.json', () => {
    const profile = only('crash-loop-import-error.json');
    expect(profile.outcome).toBe('crash-loop');
    expect(profile.rootCause).toMatchObject({
      category: 'import',
      severity: 'fatal',
      cause: "ModuleNotFoundError: No module named 'netra_backend.app.services.monitoring'",
    });
    expect(profile.findings.find((finding) => finding.category === 'exit')).toMatchObject({
      cause: 'The container exited with exit code 3',
      count: 15,
    });
    expect(profile.findings.find((finding) => finding.category === 'crash-loop')).toMatchObject({
      count: 15,
    });
    expect(
      profile.findings.filter((finding) => /Missing field|ErrorRecovery|Error Validator/.test(finding.cause)),
    ).toEqual([]);
  });

  test('database-timeout.json', () => {
    const { revisions } = reportOf(load('database-timeout.json'));
    expect(revisions.map((profile) => [profile.revision, profile.outcome])).toEqual([
      ['netra-backend-staging-00709-bg5', 'crash-loop'],
      ['netra-backend-staging-00711-d6z', 'failed'],
      ['netra-backend-staging-00712-kkr', 'unknown'],
    ]);
    for (const profile of revisions.slice(0, 2)) {
      expect(profile.phases).toContainEqual({
        name: 'DATABASE',
        seconds: 25,
        share: null,
        outcome: 'failed',
      });
      expect(profile.rootCause).toMatchObject({ category: 'database', severity: 'fatal' });
      expect(profile.rootCause?.cause).toMatch(/^Database initialization timeout after 25\.0s/);
      expect(profile.rootCause?.cause).toContain(
        '/cloudsql/netra-staging:us-central1:staging-shared-postgres',
      );
    }
    const answers = revisions[1]?.findings.find((finding) => finding.category === 'request');
    expect(answers).toMatchObject({ severity: 'error', cause: expect.stringContaining('503') });
    expect(revisions[2]?.findings).toEqual([]);
  });

  test('websocket-403.json', () => {
    const profile = only('websocket-403.json');
    expect(profile).toMatchObject({ outcome: 'started', rootCause: null });
    expect(profile.findings).toMatchObject([
      {
        category: 'websocket',
        count: 3,
        cause: 'The WebSocket handshake on /ws is refused with 403 although /health is answered with success',
      },
    ]);
  });

  test.each([
    'startup-success.json',
    'startup-success-plain.json',
    'database-timeout.json',
    'crash-loop-import-error.json',
  ])('%s gives the same report in any order, with repeats', (file) => {
    const entries = load(file);
    const expected = reportOf(entries);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(entries, { minLength: entries.length }),
        fc.subarray(entries, { maxLength: 50 }),
        (all, again) => {
          expect(reportOf([...all, ...again])).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
  });
});
