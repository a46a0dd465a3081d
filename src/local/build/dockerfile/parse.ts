import { StepError } from '../failure.ts';

/** One instruction, its continued lines joined and its comments gone. */
export type Instruction = {
  /** The first line of it, from 1. */
  line: number;
  /** In capitals. */
  keyword: string;
  /** `--name=value` words before the arguments, in their order. */
  flags: { name: string; value: string }[];
  rest: string;
  /** All of it, as the log shows it. */
  text: string;
};

const maxBytes = 1024 * 1024;
const maxInstructions = 2000;
const flag = /^--([a-z-]+)(?:=(\S+))?\s+/;
const heredoc = /<<-?\s*["']?[A-Za-z_]/;

/** Throws a StepError that names the line of what is no Dockerfile, or cannot be built here. */
export function parseDockerfile(text: string): Instruction[] {
  if (text.length > maxBytes) throw new StepError(`the Dockerfile is longer than ${maxBytes} bytes`);
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  checkDirectives(lines);
  const instructions: Instruction[] = [];
  for (let next = 0; next < lines.length; ) {
    const { content, end } = logicalLine(lines, next);
    if (content.trim() !== '') instructions.push(readInstruction(content.trim(), next + 1));
    if (instructions.length > maxInstructions)
      throw new StepError(`the Dockerfile has more than ${maxInstructions} instructions`);
    next = end;
  }
  if (instructions.length === 0) throw new StepError('the Dockerfile cannot be empty');
  return instructions;
}

/** An error in Docker's form: `Dockerfile:LINE: …`. */
export function dockerfileError(
  { line, keyword }: Pick<Instruction, 'line' | 'keyword'>,
  why: string,
): StepError {
  return new StepError(`Dockerfile:${line}: ${keyword}: ${why}`);
}

/** Comments of the form `# key=value` in the first lines; `syntax` names a frontend, and this is the only one. */
function checkDirectives(lines: readonly string[]): void {
  for (const [index, line] of lines.entries()) {
    const [, key, value] = /^\s*#\s*([a-z]+)\s*=\s*(\S+)\s*$/i.exec(line) ?? [];
    if (key === undefined) return;
    if (key.toLowerCase() === 'escape' && value !== '\\')
      throw new StepError(
        `Dockerfile:${index + 1}: the local cloud supports only \\ as escape, not ${value}`,
      );
  }
}

/** From line `start` to the first that is not continued. Comments, and empty lines within it, do not count. */
function logicalLine(lines: readonly string[], start: number): { content: string; end: number } {
  let content = '';
  let index = start;
  for (; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (/^\s*#/.test(line)) {
      if (content === '') return { content, end: index + 1 };
      continue;
    }
    if (line.trim() === '' && content !== '') continue;
    const [, begun] = /^(.*)\\[ \t]*$/.exec(line) ?? [];
    content += begun ?? line;
    if (begun === undefined) break;
  }
  return { content, end: index + 1 };
}

function readInstruction(content: string, line: number): Instruction {
  const [, word = '', arguments_ = ''] = /^(\S+)\s*([\s\S]*)$/.exec(content) ?? [];
  const keyword = word.toUpperCase();
  const flags: Instruction['flags'] = [];
  let rest = arguments_;
  for (let found = flag.exec(rest); found; found = flag.exec(rest)) {
    flags.push({ name: found[1] ?? '', value: found[2] ?? '' });
    rest = rest.slice(found[0].length);
  }
  if (['RUN', 'COPY', 'ADD'].includes(keyword) && heredoc.test(rest))
    throw dockerfileError({ line, keyword }, 'the local cloud does not support here-documents');
  return { line, keyword, flags, rest: rest.trim(), text: `${keyword} ${arguments_}` };
}

/** The exec form: a JSON array of strings; undefined when it is the shell form. */
export function execForm({ rest }: Pick<Instruction, 'rest'>): string[] | undefined {
  if (!rest.startsWith('[')) return undefined;
  try {
    const words: unknown = JSON.parse(rest);
    return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined;
  } catch {
    return undefined;
  }
}
