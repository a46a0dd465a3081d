import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { releaseDocumentSchema } from '../../src/report/json.ts';
import { answering, makePlace, tinyService } from './kit.ts';

const place = await makePlace(tinyService(answering()));
const { sluice } = place;
const local = ['staging', '--local'];
const commit = async (subject: string): Promise<void> => {
  await execa('git', ['add', '-A'], { cwd: place.dir });
  await execa('git', ['commit', '-qm', subject], { cwd: place.dir });
};

describe('what is written of a release', () => {
  let release = '';

  beforeAll(async () => {
    await writeFile(join(place.dir, '.gitignore'), '.sluice\n');
    await execa('git', ['init', '-q'], { cwd: place.dir });
    await execa('git', ['config', 'user.email', 'ada@example.com'], { cwd: place.dir });
    await execa('git', ['config', 'user.name', 'ada'], { cwd: place.dir });
    await commit('the first');
    expect((await sluice(['deploy', ...local])).exitCode).toBe(0);
    await place.write('server.js', answering(`console.log('edited');`));
    await commit('Answer | <b>better</b>');
    const { stdout } = await sluice(['deploy', ...local, '--json']);
    release = releaseDocumentSchema.parse(JSON.parse(stdout)).release.id;
  });

  test('the newest release, as Markdown on stdout', async () => {
    const { exitCode, stdout } = await sluice(['report']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`- **Release**: \`${release}\``);
    expect(stdout).toContain('- **Status**: successful');
    expect(stdout).toContain('## Commits deployed');
    expect(stdout).toMatch(/^- `[0-9a-f]{12}` `Answer ¦ <b>better<\/b>`$/m);
    expect(stdout).toMatch(/^## Risk\n\n\*\*LOW\*\*\n\n- `the image changes`$/m);
  });

  test('as a file of each format, and as a document', async () => {
    for (const [format, sign] of [
      ['html', '<!doctype html>'],
      ['junit', '<?xml version="1.0"'],
      ['json', '{\n  "version": 1,'],
    ] as const) {
      const file = join(place.dir, `.sluice/report.${format}`);
      const { exitCode, stdout, stderr } = await sluice([
        'report',
        release,
        '--format',
        format,
        '--output',
        file,
      ]);
      expect({ exitCode, stdout, stderr }).toEqual({
        exitCode: 0,
        stdout: '',
        stderr: `written to ${file}`,
      });
      expect((await readFile(file, 'utf8')).startsWith(sign)).toBe(true);
    }
    const json = await sluice(['report', release, '--json']);
    expect(releaseDocumentSchema.parse(JSON.parse(json.stdout)).release.id).toBe(release);
  });

  test('a release that is not there, and a file that cannot be', async () => {
    const unknown = await sluice(['report', '20200101T000000-staging-abcd']);
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain('There is no release 20200101T000000-staging-abcd');
    const nowhere = await sluice(['report', '--output', '/nowhere/at/all.md']);
    expect(nowhere.exitCode).toBe(2);
    expect(nowhere.stderr).toContain('cannot be written');
  });

  test('is posted by gh, or says that gh is missing', async () => {
    const bin = join(place.dir, '.sluice/bin');
    await execa('mkdir', ['-p', bin]);
    const none = await sluice(['report', '--comment', '135'], { env: { PATH: bin } });
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain('gh command is not on this machine');
    await writeFile(join(bin, 'gh'), `#!/bin/sh\necho "$@" > "${bin}/args"\n/bin/cat > "${bin}/body"\n`);
    await chmod(join(bin, 'gh'), 0o755);
    const posted = await sluice(['report', '--comment', '135'], { env: { PATH: bin } });
    expect(posted).toMatchObject({ exitCode: 0, stdout: '', stderr: 'posted to 135' });
    expect(await readFile(join(bin, 'args'), 'utf8')).toBe('issue comment 135 --body-file -\n');
    expect(await readFile(join(bin, 'body'), 'utf8')).toContain('# Validation report: deploy to staging');
    const wrong = await sluice(['report', '--comment', '--help; rm -rf /']);
    expect(wrong.exitCode).toBe(2);
  });

  test('a workflow is told of a release', async () => {
    const files = { output: join(place.dir, '.sluice/output'), summary: join(place.dir, '.sluice/summary') };
    const env = { GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: files.output, GITHUB_STEP_SUMMARY: files.summary };
    const { exitCode, stderr } = await sluice(['deploy', ...local, '--github'], { env });
    expect(exitCode).toBe(0);
    const token = /^::stop-commands::(\w+)$/m.exec(stderr)?.[1];
    expect(stderr).toMatch(new RegExp(`^::${token}::$`, 'm'));
    expect(await readFile(files.output, 'utf8')).toMatch(/^outcome<<(\S+)\nunchanged\n\1$/m);
    expect(await readFile(files.summary, 'utf8')).toContain('# Validation report: deploy to staging');
  });

  test('a record that was edited by hand says so above all', async () => {
    const segment = join(place.dir, `.sluice/ledger/releases/${release}/000001.ndjson`);
    const text = await readFile(segment, 'utf8');
    await writeFile(segment, text.replace('"dirty":false', '"dirty":true'));
    const { stdout } = await sluice(['report', release]);
    expect(stdout).toContain('## The record was changed after it was written');
  });
});

test('--watch deploys again on a saved change until the verdict is ready, and says what got better', async () => {
  await place.write('server.js', 'process.exit(3);\n');
  const child = place.start(['deploy', ...local, '--watch']);
  let told = '';
  const says = (words: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (data: unknown): void => {
        told += String(data);
        if (told.includes(words)) resolve();
      };
      child.stderr.on('data', look);
      look('');
    });
  await says('waiting for a saved change');
  await appendFile(join(place.dir, 'server.js'), '// saved, and no better\n');
  await says('cycle 2 is over');
  await place.write('server.js', answering(`console.log('mended');`));
  const { exitCode, stdout, stderr } = await child;
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^cycle 2 {2}nothing got better or worse than in cycle 1$/m);
  expect(stderr).toMatch(/^cycle 3$\n {2}✔ better +it came as far as checklist, before: candidate$/m);
  expect(stdout).toContain('✔ tiny is deployed to staging');
});
