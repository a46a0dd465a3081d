import { RE2JS } from 're2js';
import { type Comparator, FilterError, lex, type Token } from './lexer.ts';

/** A parsed filter. `field=(a OR b)` has become comparisons of the field with each. */
export type Filter =
  | { kind: 'all' }
  | { kind: 'and' | 'or'; parts: Filter[] }
  | { kind: 'not'; part: Filter }
  /** Text that stands alone: found anywhere in the entry. */
  | { kind: 'search'; text: string }
  /** `SEARCH("…")`: each word stands somewhere in the field, or in the entry; in lower case. */
  | { kind: 'words'; words: string[]; path: string[]; at: number }
  /** `field:*` */
  | { kind: 'present'; path: string[]; at: number }
  | { kind: 'compare'; path: string[]; comparator: Comparator; value: string; at: number };

const maxLength = 20_000;
const maxDepth = 100;

/**
 * The Logging query language: NOT binds tightest, then OR, then AND; terms side by side are joined by AND.
 * Throws a FilterError that names what is not understood, and where.
 */
export function parseFilter(source: string): Filter {
  if (source.length > maxLength) {
    throw new FilterError(`filters are limited to ${maxLength} characters; one more stands`, maxLength);
  }
  return new Parser(lex(source)).parse();
}

type Value = (token: Token) => Filter;

class Parser {
  private readonly tokens: Token[];
  private next = 0;
  private depth = 0;

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  parse(): Filter {
    if (this.peek().kind === 'end') return { kind: 'all' };
    const filter = this.conjunction(() => this.restriction());
    const rest = this.peek();
    if (rest.kind !== 'end') throw unexpected(rest);
    return filter;
  }

  /** OR-groups, joined by AND or by nothing. `leaf` reads a restriction, or a value inside `field=(…)`. */
  private conjunction(leaf: () => Filter): Filter {
    const parts = [this.disjunction(leaf)];
    for (;;) {
      const { kind } = this.peek();
      if (kind === 'AND') this.take();
      else if (kind === 'end' || kind === ')') return joined('and', parts);
      parts.push(this.disjunction(leaf));
    }
  }

  private disjunction(leaf: () => Filter): Filter {
    const parts = [this.negation(leaf)];
    while (this.peek().kind === 'OR') {
      this.take();
      parts.push(this.negation(leaf));
    }
    return joined('or', parts);
  }

  private negation(leaf: () => Filter): Filter {
    const { kind, at } = this.peek();
    if (kind !== 'NOT' && kind !== 'minus') return this.simple(leaf);
    this.take();
    return { kind: 'not', part: this.nested(at, () => this.negation(leaf)) };
  }

  private simple(leaf: () => Filter): Filter {
    const { kind, at } = this.peek();
    return kind === '(' ? this.group(at, leaf) : leaf();
  }

  private group(at: number, leaf: () => Filter): Filter {
    this.take();
    const inner = this.nested(at, () => this.conjunction(leaf));
    const close = this.take();
    if (close.kind !== ')') throw new FilterError(`'(' without its ')'`, at);
    return inner;
  }

  private restriction(): Filter {
    const subject = this.take();
    if (subject.kind !== 'word' && subject.kind !== 'string') throw unexpected(subject);
    const after = this.peek();
    if (after.kind !== 'comparator') {
      if (after.kind === '(' && touches(subject, after)) return this.call(subject);
      return { kind: 'search', text: subject.text };
    }
    this.take();
    const path = subject.kind === 'word' ? subject.segments : [subject.text];
    const compare: Value = (value) => comparison(path, after.comparator, value, subject.at);
    const value = this.peek();
    return value.kind === '(' ? this.group(value.at, () => compare(this.take())) : compare(this.take());
  }

  private call(name: Token & { text: string }): Filter {
    const call = functions[name.text.toLowerCase()];
    if (!call) throw new FilterError(`the function ${name.text}() is not supported`, name.at);
    this.take();
    const args: Token[] = [];
    while (this.peek().kind !== ')') {
      if (args.length > 0 && this.take().kind !== ',') throw unexpected(this.peek());
      args.push(this.take());
    }
    this.take();
    return call(args, name.at);
  }

  private nested(at: number, read: () => Filter): Filter {
    this.depth += 1;
    if (this.depth > maxDepth) throw new FilterError(`nested deeper than ${maxDepth}`, at);
    const filter = read();
    this.depth -= 1;
    return filter;
  }

  private peek(): Token {
    // The last token is `end`, and it is never taken past.
    return this.tokens[this.next] ?? { kind: 'end', at: 0 };
  }

  private take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.next += 1;
    return token;
  }
}

const functions: Readonly<Record<string, (args: Token[], at: number) => Filter>> = {
  log_id([id, ...more], at) {
    if (id?.kind !== 'string' || more.length > 0) throw new FilterError('log_id() takes one string', at);
    const value = `/logs/${RE2JS.quote(encodeURIComponent(id.text))}$`;
    return { kind: 'compare', path: ['logName'], comparator: '=~', value, at };
  },
  search(args, at) {
    const text = args.at(-1);
    const [field] = args.slice(0, -1);
    if (text?.kind !== 'string' || args.length > 2 || (field && field.kind !== 'word'))
      throw new FilterError('SEARCH() takes a field, or none, and a string', at);
    const words = wordsOf(text.text);
    if (words.length === 0) throw new FilterError('SEARCH() needs a word', at);
    return { kind: 'words', words, path: field?.segments ?? [], at };
  },
};

/** What stands between anything that is neither letter nor digit, in lower case. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
}

function comparison(path: string[], comparator: Comparator, value: Token, at: number): Filter {
  if (value.kind !== 'string' && value.kind !== 'word') throw unexpected(value);
  if ((comparator === '=~' || comparator === '!~') && value.kind !== 'string') {
    throw new FilterError('a regular expression must stand in quotes', value.at);
  }
  if (comparator === ':' && value.kind === 'word' && value.text === '*') return { kind: 'present', path, at };
  return { kind: 'compare', path, comparator, value: value.text, at };
}

function joined(kind: 'and' | 'or', parts: Filter[]): Filter {
  const [only] = parts;
  return parts.length === 1 && only ? only : { kind, parts };
}

function touches(word: Token & { text: string }, next: Token): boolean {
  return word.kind === 'word' && next.at === word.at + word.text.length;
}

function unexpected(token: Token): FilterError {
  if (token.kind === 'end') return new FilterError('unexpected end', token.at);
  const text = token.kind === 'comparator' ? token.comparator : 'text' in token ? token.text : token.kind;
  return new FilterError(`unexpected '${text}'`, token.at);
}
