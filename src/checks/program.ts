import { join } from 'node:path';
import type { ProgramSpec } from '../config/check-spec.ts';
import { createRedactor } from '../redact.ts';
import type { CheckContext } from './context.ts';
import { errorText, oneLine } from './text.ts';

/** How a program ended. */
export type ProgramEnd = {
  /** null when no exit code came of it; `why` then tells. */
  exitCode: number | null;
  /** '' when it exited by itself. */
  why: string;
  /** stdout and stderr together, without secrets; the beginning, when `truncated`. */
  output: string;
  truncated: boolean;
  /** The last lines, fit to be shown. */
  tail: string[];
  seconds: number;
  /** Takes out of a text what this program was told and nobody should see. */
  redact: (text: string) => string;
};

export type ProgramCall = {
  command: readonly string[];
  /** Further `{name}` → text in its arguments and variables. */
  fills?: Record<string, string>;
  env?: Record<string, string>;
  deadline: Deadline;
};

/** When a program is killed, and how long it then had had. */
export type Deadline = { signal: AbortSignal; seconds: number };

export function deadlineIn(seconds: number): Deadline {
  return { signal: AbortSignal.timeout(Math.ceil(seconds * 1000)), seconds };
}

const keptHead = 1024 * 1024;
const keptTail = 16 * 1024;
const tailLines = 20;
const lineLength = 300;
/** Between asking a program to end and ending it. */
const forceKillAfterMs = 500;

/**
 * Runs a program without a shell, in a process group of its own that is killed whole: at the deadline, when the run
 * is stopped, and when Sluice itself ends. Throws only when the run was stopped.
 */
export async function runProgram(
  spec: ProgramSpec,
  call: ProgramCall,
  context: CheckContext,
): Promise<ProgramEnd> {
  const { execa } = await import('execa');
  const told = await variablesFor(spec, call, context);
  const [program = '', ...args] = call.command.map((part) => filled(part, told.fills));
  const cwd = join(context.program.sourceDir, spec.dir);
  const { deadline } = call;
  const started = performance.now();
  const subprocess = execa(program, args, {
    cwd,
    env: told.env,
    preferLocal: true,
    localDir: cwd,
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
    killDescendants: true,
    forceKillAfterDelay: forceKillAfterMs,
    cancelSignal: AbortSignal.any([deadline.signal, context.signal]),
  });
  const killAll = () => void subprocess.kill('SIGKILL');
  running.add(killAll);
  try {
    const printed = keep(subprocess.all);
    const result = await subprocess;
    context.signal.throwIfAborted();
    const redact = createRedactor(told.secrets);
    const { head, tail, truncated } = printed();
    return {
      exitCode: result.exitCode ?? null,
      why: whyEnded(result, program, deadline),
      output: redact(head),
      truncated,
      tail: lastLines(redact(tail)),
      seconds: (performance.now() - started) / 1000,
      redact,
    };
  } finally {
    running.delete(killAll);
    // What it left behind in its group: a server that a test runner forgot.
    killAll();
  }
}

/** Nothing outlives Sluice, however it ends. */
const running = new Set<() => void>();
process.on('exit', () => {
  for (const kill of running) kill();
});

/** The documented variables; they win over the check's own, which may not name them. */
async function variablesFor(
  spec: ProgramSpec,
  call: ProgramCall,
  context: CheckContext,
): Promise<{ env: Record<string, string>; fills: Record<string, string>; secrets: string[] }> {
  const { program, stage, url, headers } = context;
  const token = context.idToken ? (await context.idToken()).reveal() : '';
  // Cloud Run reads this header before the usual one, which the service can have for itself.
  const door = token ? { 'X-Serverless-Authorization': `Bearer ${token}` } : {};
  const fills = { url, ...call.fills };
  const own = { ...spec.env, ...call.env };
  const env = {
    ...program.e2eEnv,
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [name, filled(value, fills)])),
    ...(url ? { SERVICE_URL: url } : {}),
    ...(stage === 'candidate' ? { CANDIDATE_URL: url } : {}),
    ...(token ? { SERVICE_ID_TOKEN: token } : {}),
    E2E_HEADERS: JSON.stringify({ ...headers, ...door }),
    SLUICE_ENVIRONMENT: program.environment,
    SLUICE_SERVICE: context.service,
    SLUICE_REVISION: program.revision,
    SLUICE_STAGE: stage,
  };
  const named = Object.entries({ ...process.env, ...own }).flatMap(([name, value]) =>
    value !== undefined && secretName.test(name) ? [value] : [],
  );
  const secrets = [...Object.values(program.e2eEnv), ...Object.values(headers), token, ...named];
  return { env, fills, secrets };
}

/** Variables whose value nobody should see in a report. */
const secretName = /token|secret|passw|credential|private|api_?key|auth/i;

function filled(text: string, fills: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(fills, name) ? (fills[name] ?? '') : whole,
  );
}

type Ended = {
  isCanceled: boolean;
  exitCode?: number | undefined;
  signal?: string | undefined;
  originalMessage?: string | undefined;
};

function whyEnded(result: Ended, program: string, { signal, seconds }: Deadline): string {
  if (result.isCanceled && signal.aborted) return `it did not end within ${seconds} s and was killed`;
  if (result.exitCode !== undefined) return '';
  if (result.signal) return `it was killed by ${result.signal}`;
  return `${program} could not be started: ${errorText(result.originalMessage ?? '')}`;
}

/** Keeps the beginning and the end of what is printed, however much that is. */
function keep(stream: NodeJS.ReadableStream): () => { head: string; tail: string; truncated: boolean } {
  const heads: Buffer[] = [];
  let tail = Buffer.alloc(0);
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < keptHead) heads.push(chunk.subarray(0, keptHead - size));
    size += chunk.length;
    tail = Buffer.concat([tail, chunk]).subarray(-keptTail);
  });
  return () => ({
    head: Buffer.concat(heads).toString('utf8'),
    tail: size > keptTail ? wholeLines(tail.toString('utf8')) : tail.toString('utf8'),
    truncated: size > keptHead,
  });
}

/** Without the line that was cut: a secret of which only the end is left would not be recognised. */
function wholeLines(text: string): string {
  const end = text.search(lineBreak);
  return end < 0 ? '' : text.slice(end + 1);
}

const lineBreak = /[\r\n]/;

function lastLines(text: string): string[] {
  return text
    .split(lineBreak)
    .map((line) => oneLine(line, lineLength))
    .filter((line) => line !== '')
    .slice(-tailLines);
}
