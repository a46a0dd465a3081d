import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { StringDecoder } from 'node:string_decoder';

export type ProcessResult =
  | { kind: 'exited'; code: number }
  | { kind: 'killed'; signal: NodeJS.Signals }
  | { kind: 'not-started'; why: string };

export type RunOptions = {
  cwd: string;
  /** The whole environment. */
  env: Record<string, string>;
  signal: AbortSignal;
  onLine: (line: string) => void;
};

const maxLineCharacters = 16 * 1024;
// How long what a dead process has written may take to be read.
const lastWordsMs = 1000;

/** Runs a command in a process group of its own; aborting kills the whole group. Output comes line by line. */
export function runProcess(
  command: readonly [string, ...string[]],
  options: RunOptions,
): Promise<ProcessResult> {
  const { cwd, env, signal, onLine } = options;
  if (signal.aborted) return Promise.resolve({ kind: 'killed', signal: 'SIGKILL' });
  const [file, ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const killGroup = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The group is gone already.
      }
    };
    let lastWords: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', killGroup, { once: true });
    child.once('error', (error) => resolve({ kind: 'not-started', why: error.message }));
    const flushers = [child.stdout, child.stderr].map((stream) => readLines(stream, onLine));
    child.once('exit', () => {
      // What a script left running in the background ends with it; what left the group holds the pipes open.
      killGroup();
      lastWords = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, lastWordsMs);
    });
    child.once('close', (code, killedBy) => {
      clearTimeout(lastWords);
      signal.removeEventListener('abort', killGroup);
      for (const flush of flushers) flush();
      resolve(code === null ? { kind: 'killed', signal: killedBy ?? 'SIGKILL' } : { kind: 'exited', code });
    });
  });
}

/** Calls back for each line, at most so long; returns what passes on the last, unfinished one. */
function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): () => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.slice(0, maxLineCharacters).replace(/\r$/, ''));
    if (rest.length > maxLineCharacters) {
      onLine(rest.slice(0, maxLineCharacters));
      rest = '';
    }
  });
  return () => {
    if (rest !== '') onLine(rest);
  };
}

/** As a shell reports it: a signal is 128 and its number. */
export function exitCodeOf(result: Exclude<ProcessResult, { kind: 'not-started' }>): number {
  return result.kind === 'exited' ? result.code : 128 + (constants.signals[result.signal] ?? 0);
}
