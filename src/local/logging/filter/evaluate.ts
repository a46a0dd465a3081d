import { RE2JS } from 're2js';
import { parseSeverity, severityRank } from '../entry.ts';
import { parseTimestamp } from '../timestamp.ts';
import { defaults, type Facts, type Field, type FieldType, resolveField } from './fields.ts';
import { type Comparator, FilterError } from './lexer.ts';
import { type Filter, parseFilter, wordsOf } from './parser.ts';

export type Predicate = (entry: Facts) => boolean;

/** Parses and checks a filter. Throws a FilterError; what it returns never throws. */
export function compileFilter(source: string): Predicate {
  return compile(parseFilter(source));
}

export function compile(filter: Filter): Predicate {
  switch (filter.kind) {
    case 'all':
      return () => true;
    case 'and': {
      const parts = filter.parts.map(compile);
      return (entry) => parts.every((part) => part(entry));
    }
    case 'or': {
      const parts = filter.parts.map(compile);
      return (entry) => parts.some((part) => part(entry));
    }
    case 'not': {
      const part = compile(filter.part);
      return (entry) => !part(entry);
    }
    case 'search': {
      const test = contains(filter.text);
      return (entry) => anyScalar(entry, test);
    }
    case 'words': {
      const { read } = filter.path.length > 0 ? resolveField(filter.path, filter.at) : wholeEntry;
      const stands = filter.words.map((word) => (value: unknown) => wordsOf(String(value)).includes(word));
      return (entry) => stands.every((test) => anyScalar(read(entry), test));
    }
    case 'present': {
      const { read } = resolveField(filter.path, filter.at);
      return (entry) => isPresent(read(entry));
    }
    case 'compare':
      return comparison(filter);
  }
}

const wholeEntry: Pick<Field, 'read'> = { read: (entry) => entry };

type Test = (value: unknown) => boolean;

/**
 * Google's rules for a field that the entry lacks: one of LogEntry's own counts as its default,
 * one inside a payload or a label is missing, and every comparison with it fails, `!=` too.
 */
function comparison(filter: Filter & { kind: 'compare' }): Predicate {
  const field = resolveField(filter.path, filter.at);
  const test = testFor(field, filter);
  const { type, read } = field;
  if (type === 'json') return (entry) => anyElement(read(entry), test);
  const absent = defaults[type];
  return (entry) => test(read(entry) ?? absent);
}

function testFor(field: Field, { comparator, value, at }: Filter & { kind: 'compare' }): Test {
  switch (comparator) {
    case '=~':
      return matches(value, at);
    case '!~': {
      const test = matches(value, at);
      return (found) => !test(found);
    }
    case ':': {
      const test = contains(value);
      return (found) => anyScalar(found, test);
    }
    default:
      return field.type === 'json'
        ? jsonTest(comparator, value)
        : typedTest(field.type, comparator, value, at);
  }
}

type Ordering = Exclude<Comparator, '=~' | '!~' | ':'>;
type Scalar = number | string | boolean;

/** A field whose type is known: a literal that cannot be of that type is an error. */
function typedTest(
  type: Exclude<FieldType, 'json'>,
  comparator: Ordering,
  literal: string,
  at: number,
): Test {
  const convert = conversions[type];
  const right = convert(literal);
  if (right === undefined) throw new FilterError(`'${literal}' is not a ${type}`, at);
  return (value) => {
    const left = typeof value === 'string' ? convert(value) : (value as Scalar);
    return left !== undefined && ordered(comparator, left, right);
  };
}

/** A payload's field: its own type decides; a literal of another type compares as false. */
function jsonTest(comparator: Ordering, literal: string): Test {
  const asNumber = conversions.number(literal);
  const asBoolean = conversions.boolean(literal);
  const asText = fold(literal);
  return (value) => {
    if (typeof value === 'number') return asNumber !== undefined && ordered(comparator, value, asNumber);
    if (typeof value === 'boolean') return asBoolean !== undefined && ordered(comparator, value, asBoolean);
    if (typeof value === 'string') return ordered(comparator, fold(value), asText);
    return value === null && ordered(comparator, 'null', asText);
  };
}

const conversions: Record<Exclude<FieldType, 'json'>, (text: string) => Scalar | undefined> = {
  string: fold,
  number: (text) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined),
  boolean: (text) => ({ true: true, false: false })[text.toLowerCase()],
  time: parseTimestamp,
  duration: seconds,
  severity: (text) => {
    const name = parseSeverity(/^\d+$/.test(text) ? Number(text) : text);
    return name && severityRank[name];
  },
};

/** `1.5s`, `250ms`, `1h30m`. */
function seconds(text: string): number | undefined {
  if (!/^-?(\d+(\.\d+)?(h|m|s|ms|us|ns))+$/.test(text)) return undefined;
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 };
  let sum = 0;
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)/g)) {
    sum += Number(amount) * (units[unit] ?? 0);
  }
  return text.startsWith('-') ? -sum : sum;
}

function ordered(comparator: Ordering, left: Scalar, right: Scalar): boolean {
  switch (comparator) {
    case '=':
      return left === right;
    case '!=':
      return left !== right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
  }
}

function matches(pattern: string, at: number): Test {
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(pattern);
  } catch (error) {
    throw new FilterError(`not a regular expression of RE2: ${(error as Error).message}`, at);
  }
  return (value) => isScalar(value) && regex.matcher(String(value)).find();
}

function contains(text: string): Test {
  const wanted = fold(text);
  return (value) => fold(String(value)).includes(wanted);
}

/** Google compares text after NFKC normalisation and case folding. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** A repeated field matches when one of its elements does. */
function anyElement(value: unknown, test: Test): boolean {
  if (Array.isArray(value)) return value.some((element) => anyElement(element, test));
  return value !== undefined && test(value);
}

function anyScalar(value: unknown, test: Test): boolean {
  if (isScalar(value)) return test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((inner) => anyScalar(inner, test));
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function isPresent(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined;
}
