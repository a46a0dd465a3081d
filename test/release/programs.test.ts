import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CheckSpec } from '../../src/config/check-spec.ts';
import { commandCheck, importsCheck, node, suiteCheck } from '../checks/programs.ts';
import { openStand, type Stand, type Subject, soundness } from './kit.ts';

let stand: Stand;
beforeAll(async () => {
  stand = await openStand();
});
afterAll(() => stand.close());

function subjectWith(service: string, checklist: CheckSpec[], files: Record<string, string> = {}): Subject {
  const subject = stand.subject(service, { checklist });
  for (const [path, text] of Object.entries(files)) {
    const file = join(subject.target.sourceDir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return subject;
}

const imports = importsCheck('node');
const lost = { 'package.json': '{}', 'app.js': "import './services/monitoring.js';" };
const whole = { 'package.json': '{}', 'app.js': "import 'node:http';" };
const unit = (code: string) => commandCheck(node(code), { id: 'unit', stages: ['predeploy'] });

const exists = (subject: Subject) =>
  subject.live().then(
    () => true,
    () => false,
  );

describe('before the build', () => {
  test('a missing import ends the release: it is named, and nothing is built or written', async () => {
    const subject = subjectWith('lost', [imports], lost);
    const outcome = await subject.deploy();
    expect(outcome).toMatchObject({ exitCode: 10, verdict: 'blocked', rolledBack: false });
    expect(Object.keys(outcome.service.stages)).toEqual(['observe', 'preflight', 'predeploy']);
    expect(outcome.service.preflight[0]?.what).toBe(
      'The predeploy check imports failed: app.js:1 imports "./services/monitoring.js": no such file',
    );
    expect(outcome.service.finished).toMatchObject({ outcome: 'not-started', reason: 'preflight' });
    expect(outcome.state.finished?.verdict.conditions).toContainEqual({
      id: 'lost.check.predeploy.imports',
      met: false,
      reason: expect.stringContaining('./services/monitoring.js'),
      remedy: 'sluice deploy staging',
    });
    expect(await exists(subject)).toBe(false);
    expect(soundness(outcome)).toEqual([]);
  });

  test('one service that fails keeps the others from being built', async () => {
    const good = subjectWith('beside-good', [imports], whole);
    const outcome = await subjectWith('beside-lost', [imports], lost).deploy({ beside: [good] });
    expect(outcome.exitCode).toBe(10);
    expect(outcome.state.services.get('beside-good')?.finished?.outcome).toBe('not-started');
    expect(await exists(good)).toBe(false);
  });

  test('what passes is a condition of the verdict, and a deploy without changes checks nothing', async () => {
    const subject = subjectWith('passes', [imports, unit('')], whole);
    const first = await subject.deploy();
    expect(soundness(first)).toEqual([]);
    expect(first).toMatchObject({
      exitCode: 0,
      service: { stages: { predeploy: { note: '2 of 2 passed' } } },
    });
    const met = first.state.finished?.verdict.conditions.filter(({ id }) => id.includes('.predeploy.'));
    expect(met).toMatchObject([
      { id: 'passes.check.predeploy.imports', met: true },
      { id: 'passes.check.predeploy.unit', met: true },
    ]);
    const again = await subject.deploy();
    expect(again.service.finished?.outcome).toBe('unchanged');
    expect(again.service.checks).toEqual([]);
  });

  test('an advisory check stops nothing', async () => {
    const subject = subjectWith('advisory', [{ ...imports, required: false }], lost);
    const outcome = await subject.deploy();
    expect(outcome).toMatchObject({
      exitCode: 0,
      service: { checks: [{ id: 'imports', status: 'failed' }] },
    });
  });

  test('Ctrl-C ends a program and the release', async () => {
    const subject = subjectWith('stopped', [
      unit(`require('fs').writeFileSync('pid', String(process.pid)); setInterval(() => {}, 1000)`),
    ]);
    const stop = new AbortController();
    const running = subject.deploy({ signal: stop.signal });
    const file = join(subject.target.sourceDir, 'pid');
    await vi.waitUntil(() => existsSync(file) && readFileSync(file, 'utf8') !== '', { timeout: 20_000 });
    stop.abort(new DOMException('Ctrl-C', 'AbortError'));
    expect(await running).toMatchObject({ exitCode: 130, service: { finished: { outcome: 'not-started' } } });
    const pid = Number(readFileSync(file, 'utf8'));
    await vi.waitUntil(() => !isRunning(pid), { timeout: 10_000 });
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Writes that one test passed, after it has done something. */
const suiteThat = (does: string) =>
  suiteCheck([
    {
      name: 'P0',
      command: node(
        `(async () => { ${does}; require('fs').writeFileSync(process.argv[1], '<testsuite tests="1"><testcase name="answers" time="0.2"/></testsuite>') })()`,
        '{junit}',
      ),
    },
  ]);

describe('on the candidate', () => {
  test('a suite that reached it passes, behind the door of a first deploy, and Sluice’s requests do not count', async () => {
    const subject = subjectWith('reached', [
      suiteThat(`
        const headers = JSON.parse(process.env.E2E_HEADERS);
        await fetch(process.env.SERVICE_URL + '/a', { headers });
        await fetch(process.env.CANDIDATE_URL + '/b', { headers })`),
    ]);
    const outcome = await subject.deploy();
    expect(outcome.exitCode, outcome.told).toBe(0);
    expect(outcome.service.checks).toMatchObject([
      { figures: { total: 1, requests: 2 }, stage: 'candidate' },
    ]);
  });

  test('a suite that passed without touching it has shown nothing', async () => {
    const subject = subjectWith('untouched', [
      suiteThat(
        `await fetch(process.env.SERVICE_URL, { headers: { ...JSON.parse(process.env.E2E_HEADERS), 'user-agent': 'sluice-check' } })`,
      ),
    ]);
    const outcome = await subject.deploy();
    expect(outcome.exitCode).toBe(13);
    expect(outcome.told).toContain('without touching the service');
    expect(soundness(outcome)).toEqual([]);
  });
});
