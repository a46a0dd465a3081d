import { RE2JS } from 're2js';
import type { CommandCheck } from '../config/check-spec.ts';
import type { CheckContext, CheckOutcome } from './context.ts';
import { deadlineIn, type ProgramEnd, runProgram } from './program.ts';
import { endOf, inSeconds, oneLine } from './text.ts';

/** Runs a program and holds its exit code and its output against what is expected. */
export async function checkCommand(spec: CommandCheck, context: CheckContext): Promise<CheckOutcome> {
  const { command } = spec;
  const end = await runProgram(spec, { command, deadline: deadlineIn(spec.timeoutSeconds) }, context);
  const name = oneLine(command[0] ?? '', 60);
  const figures = { figures: { seconds: end.seconds } };
  const wrong = exitProblem(spec, end) ?? unmetPattern(spec, end);
  if (wrong)
    return {
      status: 'failed',
      reason: `${name}: ${wrong}${endOf(end.tail)}`,
      ...figures,
      ...(end.tail.length > 0 ? { output: end.tail } : {}),
    };
  if (end.truncated && !provenByHead(spec, end))
    return {
      status: 'inconclusive',
      reason: `${name} printed more than ${end.output.length} characters, and the rest was not searched`,
      ...figures,
    };
  return {
    status: 'passed',
    reason: `${name} exited with ${end.exitCode} in ${inSeconds(end.seconds)}`,
    ...figures,
  };
}

function exitProblem({ exitCode: allowed }: CommandCheck, { exitCode, why }: ProgramEnd): string | undefined {
  if (exitCode === null || why !== '') return why;
  return allowed.includes(exitCode) ? undefined : `exited with ${exitCode}, expected ${allowed.join(' or ')}`;
}

function unmetPattern({ output }: CommandCheck, end: ProgramEnd): string | undefined {
  const found = output.absent.find((pattern) => matches(pattern, end));
  if (found !== undefined) return `it printed what must be absent: it matches /${oneLine(found, 100)}/`;
  const missing = end.truncated ? undefined : output.present.find((pattern) => !matches(pattern, end));
  return missing === undefined ? undefined : `nothing it printed matches /${oneLine(missing, 100)}/`;
}

/** Of an output that was cut only the presence of something can be told. */
function provenByHead({ output }: CommandCheck, end: ProgramEnd): boolean {
  return output.absent.length === 0 && output.present.every((pattern) => matches(pattern, end));
}

function matches(pattern: string, { output }: ProgramEnd): boolean {
  return RE2JS.compile(pattern).test(output);
}
