import { type BigIntStats, promises as fs } from 'node:fs';
import { resolve } from 'node:path';
import type { SuiteCheck } from '../config/check-spec.ts';
import type { CheckContext } from './context.ts';
import { type Junit, type JunitCase, readJunit, UnreadableReport } from './junit.ts';
import { type Deadline, type ProgramEnd, runProgram } from './program.ts';
import { endOf, oneLine } from './text.ts';

/** One phase that was run. */
export type Played = {
  phase: string;
  status: 'passed' | 'failed' | 'inconclusive';
  reason: string;
  seconds: number;
  tests: JunitCase[];
  /** The end of what it printed. */
  tail: string[];
};

export type PhaseCall = {
  phase: SuiteCheck['phases'][number];
  deadline: Deadline;
  /** Where `{junit}` leads. */
  junit: string;
};

const maxBytes = 32 * 1024 * 1024;

/** Runs one phase and judges it by its exit code and its report, neither of which is believed without the other. */
export async function playPhase(
  spec: SuiteCheck,
  { phase, deadline, junit }: PhaseCall,
  context: CheckContext,
  signal: AbortSignal,
): Promise<Played> {
  const path = phase.junit === undefined ? junit : resolve(context.program.sourceDir, spec.dir, phase.junit);
  const before = await look(path);
  const call = { command: phase.command, deadline, fills: { junit }, env: { SLUICE_JUNIT: junit } };
  const end = await runProgram(spec, call, context);
  const found = await reportAt(path, before, end, signal);
  const tests = typeof found === 'string' ? [] : found.cases;
  return {
    ...{ phase: phase.name, seconds: end.seconds, tests, tail: end.tail },
    ...judge(spec, end, found),
  };
}

type Verdict = Pick<Played, 'status' | 'reason'>;

const failed = (reason: string): Verdict => ({ status: 'failed', reason });

function judge(spec: SuiteCheck, end: ProgramEnd, found: Junit | string): Verdict {
  const ended = end.exitCode === null ? end.why : `it exited with ${end.exitCode}`;
  if (end.why !== '') return failed(`${end.why}${endOf(end.tail)}`);
  if (typeof found === 'string')
    return end.exitCode === 0
      ? { status: 'inconclusive', reason: `${ended}, but ${found}` }
      : failed(`${ended}, and ${found}${endOf(end.tail)}`);
  const { cases, lies } = found;
  if (lies.length > 0) return failed(`the report contradicts itself: ${lies.join('; ')}`);
  if (cases.length === 0) return failed(`no test was run${endOf(end.tail)}`);
  const broken = cases.filter(({ status }) => status === 'failed');
  const ran = cases.filter(({ status }) => status !== 'skipped').length;
  if (ran === 0) return failed(`all ${cases.length} tests were skipped`);
  const named = broken
    .slice(0, 2)
    .map(({ name, message }) => oneLine(message ? `${name}: ${message}` : name, 250));
  const count = `${broken.length} of ${cases.length} tests failed`;
  const said = `${count}: ${named.join('; ')}${broken.length > 2 ? '; …' : ''}`;
  if (end.exitCode === 0 && broken.length > 0) return failed(`${ended} although ${said}`);
  if (broken.length > spec.tolerance * ran) return failed(said);
  if (end.exitCode !== 0 && broken.length === 0)
    return failed(`${ended} although no test failed${endOf(end.tail)}`);
  return {
    status: 'passed',
    reason: broken.length > 0 ? `${count}, which the tolerance allows` : `${ran} tests passed`,
  };
}

/** The report that this very run has written, or why there is none to go by. */
async function reportAt(
  path: string,
  before: BigIntStats | undefined,
  end: ProgramEnd,
  signal: AbortSignal,
): Promise<Junit | string> {
  const written = await look(path);
  if (!written) return 'it wrote no JUnit report (give its path as `junit`, or use {junit} in its arguments)';
  if (!written.isFile()) return `${oneLine(path)} is no file`;
  if (
    before &&
    before.ino === written.ino &&
    before.mtimeNs === written.mtimeNs &&
    before.size === written.size
  )
    return `${oneLine(path)} is of an earlier run: this one wrote no JUnit report`;
  if (written.size > maxBytes)
    return `its JUnit report has ${written.size} bytes: over ${maxBytes >> 20} MiB is not read`;
  try {
    return await readJunit(path, end.redact, signal);
  } catch (error) {
    if (error instanceof UnreadableReport) return `its JUnit report cannot be read: ${error.message}`;
    throw error;
  }
}

async function look(path: string): Promise<BigIntStats | undefined> {
  return fs.stat(path, { bigint: true }).catch(() => undefined);
}
