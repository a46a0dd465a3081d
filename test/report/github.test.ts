import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openGithubActions } from '../../src/github-actions.ts';
import {
  annotationLines,
  boundedSummary,
  maskLines,
  outputBlock,
  outputsOf,
} from '../../src/report/github.ts';
import { bad, good, hostileRelease } from './written.ts';

test('a failed service is one error, on one line', () => {
  expect(annotationLines(bad().state)).toEqual([
    "::error title=chat was not released::No module named 'app.tools.search' the module is imported in app/agent.py but is not in the image",
  ]);
  for (const line of annotationLines(hostileRelease().state))
    expect(line).toMatch(/^::(error|warning) title=[^\r\n]*$/);
});

test('outputs name the revision and digest', () => {
  const outputs = Object.fromEntries(outputsOf(good().state));
  expect(outputs).toMatchObject({
    outcome: 'succeeded',
    verdict: 'ready',
    revision: 'chat-r1',
    'exit-code': '0',
  });
  expect(outputs['digest']).toMatch(/^sha256:/);
});

test('no value ends its own block', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const block = outputBlock([['name', value]], 'sluice-0123456789abcdef');
      fc.pre(!value.includes('sluice-0123456789abcdef'));
      expect(block).toBe(`name<<sluice-0123456789abcdef\n${value}\nsluice-0123456789abcdef\n`);
    }),
  );
});

test('what would blank out ordinary words is not masked', () => {
  expect(maskLines(['true', 'staging_e2e_key_2024', 'line-one\nline%two'])).toEqual([
    '::add-mask::staging_e2e_key_2024',
    '::add-mask::line-one',
    '::add-mask::line%25two',
  ]);
});

test('a summary stays under a mebibyte, cut between characters', () => {
  const long = boundedSummary('é'.repeat(900_000));
  expect(Buffer.byteLength(long)).toBeLessThan(1024 * 1024);
  expect(long).not.toContain('\ufffd');
});

test('masks come first, then nothing is a command until the end; summary and outputs are written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-github-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const env = {
    GITHUB_ACTIONS: 'true',
    GITHUB_OUTPUT: join(folder, 'output'),
    GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
  };
  let text = '';
  const ledger = { releases: async () => [], read: async () => undefined };
  const actions = openGithubActions({
    env,
    write: (more) => {
      text += more;
    },
    secrets: ['staging_e2e_key_2024'],
    ledger,
  });
  text += '::error::from a log\n';
  await actions.tell(bad().state);
  actions.end();
  const token = /^::stop-commands::(\w{32})$/m.exec(text)?.[1];
  expect(text.split('\n').filter(Boolean)).toEqual([
    '::add-mask::staging_e2e_key_2024',
    `::stop-commands::${token}`,
    '::error::from a log',
    `::${token}::`,
    ...annotationLines(bad().state),
  ]);
  expect(await readFile(env.GITHUB_OUTPUT, 'utf8')).toMatch(/^verdict<<(sluice-\w{32})\nblocked\n\1$/m);
  expect(await readFile(env.GITHUB_STEP_SUMMARY, 'utf8')).toContain('# Validation report: deploy to staging');
});

test('elsewhere than in a workflow it refuses: a mask would show what it hides', () => {
  const ledger = { releases: async () => [], read: async () => undefined };
  let written = '';
  const write = (more: string): void => {
    written += more;
  };
  expect(() => openGithubActions({ env: {}, write, secrets: ['staging_e2e_key_2024'], ledger })).toThrow(
    'GITHUB_ACTIONS',
  );
  expect(written).toBe('');
});
