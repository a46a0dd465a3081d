/** A filter that cannot be understood; `position` counts characters from 0. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  readonly position: number;

  constructor(message: string, position: number) {
    super(`Unparseable filter: ${message} at position ${position}`);
    this.position = position;
  }
}

export type Comparator = '=' | '!=' | '>' | '>=' | '<' | '<=' | ':' | '=~' | '!~';

export type Token = { at: number } & (
  | { kind: 'string'; text: string }
  /** Bare text; `segments` splits it at dots, quoted segments (`labels."a.b/c"`) whole. */
  | { kind: 'word'; text: string; segments: string[] }
  | { kind: 'comparator'; comparator: Comparator }
  | { kind: '(' | ')' | ',' | 'minus' | 'AND' | 'OR' | 'NOT' | 'end' }
);

const blank = /[\s\u00a0]+|--[^\n]*/y;
const comparator = /!=|!~|=~|>=|<=|=|>|<|:/y;
const bare = /[^\s()"'=<>!:~,.]+/y;
const keywords: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT']);

export function lex(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at = skipBlank(source, at);
    const { token, end } = readToken(source, at, tokens.at(-1));
    tokens.push(token);
    if (token.kind === 'end') return tokens;
    at = end;
  }
}

function skipBlank(source: string, at: number): number {
  let here = at;
  for (let found = match(blank, source, here); found !== ''; found = match(blank, source, here)) {
    here += found.length;
  }
  return here;
}

function readToken(source: string, at: number, before: Token | undefined): { token: Token; end: number } {
  const char = source[at];
  if (char === undefined) return { token: { kind: 'end', at }, end: at };
  if (char === '(' || char === ')' || char === ',') return { token: { kind: char, at }, end: at + 1 };
  if (char === '"' || char === "'") {
    const { text, end } = readString(source, at);
    return { token: { kind: 'string', text, at }, end };
  }
  const found = match(comparator, source, at);
  if (found !== '') {
    return { token: { kind: 'comparator', comparator: found as Comparator, at }, end: at + found.length };
  }
  // After a comparator `-5` is a number; anywhere else the minus negates.
  if (char === '-' && before?.kind !== 'comparator') return { token: { kind: 'minus', at }, end: at + 1 };
  return readWord(source, at);
}

function readWord(source: string, start: number): { token: Token; end: number } {
  const segments: string[] = [];
  let at = start;
  for (;;) {
    const segment = readSegment(source, at, segments.length > 0);
    segments.push(segment.text);
    at = segment.end;
    if (source[at] !== '.') break;
    at += 1;
  }
  const text = source.slice(start, at);
  if (keywords.has(text)) return { token: { kind: text as 'AND' | 'OR' | 'NOT', at: start }, end: at };
  return { token: { kind: 'word', text, segments, at: start }, end: at };
}

function readSegment(source: string, at: number, mayBeQuoted: boolean): { text: string; end: number } {
  if (mayBeQuoted && (source[at] === '"' || source[at] === "'")) return readString(source, at);
  const text = match(bare, source, at);
  if (text !== '') return { text, end: at + text.length };
  const char = source[at];
  throw new FilterError(char === undefined ? 'unexpected end' : `unexpected '${char}'`, at);
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

function readString(source: string, start: number): { text: string; end: number } {
  const quote = source[start];
  let text = '';
  for (let at = start + 1; at < source.length; at += 1) {
    const char = source[at];
    if (char === quote) return { text, end: at + 1 };
    if (char !== '\\') {
      text += char;
      continue;
    }
    at += 1;
    const escaped = source[at] ?? '';
    const hex = escaped === 'u' ? /^[0-9a-fA-F]{4}/.exec(source.slice(at + 1, at + 5))?.[0] : undefined;
    if (hex !== undefined) {
      text += String.fromCharCode(Number.parseInt(hex, 16));
      at += 4;
    } else {
      // Any other escape stays as written, so that a regex can be (`"\d+"`).
      text += escapes[escaped] ?? `\\${escaped}`;
    }
  }
  throw new FilterError('unterminated string', start);
}

function match(sticky: RegExp, source: string, at: number): string {
  sticky.lastIndex = at;
  return sticky.exec(source)?.[0] ?? '';
}
