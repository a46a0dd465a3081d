import { type Parts, type StartupFact, toFact } from './facts.ts';
import type { Format, JsonRule, LineRule, StartupFormats } from './formats.ts';
import { record } from './message.ts';

export type LineMatcher = {
  /** Whether the line holds a word that a rule or the caller asks for: without one, few rules are to be tried. */
  holdsWord(line: string): boolean;
  ofLine(line: string, holdsWord: boolean): StartupFact | undefined;
  ofFields(fields: Record<string, unknown>): StartupFact | undefined;
};

type LineReader = (line: string) => StartupFact | undefined;
type FieldsReader = (fields: Record<string, unknown>) => StartupFact | undefined;

/** Shorter words stand in too many lines to tell any apart. */
const tellingLength = 4;

/**
 * Compiles formats once; a pattern that is no RegExp throws a SyntaxError here, not at a log line. The words of all
 * rules, and the caller's, are looked for in one pass: most lines hold none.
 */
export function compileFormats(formats: StartupFormats, words: readonly string[] = []): LineMatcher {
  const rules = formats.flatMap((format) => format.lines.map((rule) => ({ rule, format })));
  const asked = rules.flatMap(({ rule }) => (asksForWord(rule) ? [rule.contains] : []));
  const anyWord = oneOf([...asked, ...words]);
  const all = rules.map(({ rule, format }) => compileLine(rule, format));
  const others = all.filter((_, index) => !asksForWord(rules[index]?.rule));
  const fields = compileFields(formats);
  return {
    holdsWord: (line) => anyWord.test(line),
    ofLine: (line, holdsWord) => firstOf(holdsWord ? all : others, line),
    ofFields: (json) => firstOf(fields, json),
  };
}

const asksForWord = (rule: LineRule | undefined): rule is LineRule & { contains: string } =>
  rule?.contains !== undefined && rule.contains.length >= tellingLength;

const oneOf = (words: readonly string[]): RegExp =>
  words.length === 0
    ? /(?!)/
    : new RegExp([...new Set(words)].map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'));

/** Rules by the field they look at first: most entries lack it, and then none of its rules is tried. */
function compileFields(formats: StartupFormats): readonly FieldsReader[] {
  const byField = new Map<string, FieldsReader[]>();
  for (const format of formats) {
    for (const rule of format.json) {
      const first = Object.keys(rule.where)[0] ?? '';
      byField.set(first, [...(byField.get(first) ?? []), compileJson(rule, format)]);
    }
  }
  return [...byField].map(([first, rules]) => {
    const read = reader(first);
    return (json) => (first === '' || read(json) !== undefined ? firstOf(rules, json) : undefined);
  });
}

function firstOf<From, To>(readers: readonly ((from: From) => To | undefined)[], from: From): To | undefined {
  for (const read of readers) {
    const found = read(from);
    if (found !== undefined) return found;
  }
  return undefined;
}

function compileLine(rule: LineRule, format: Format): LineReader {
  const pattern = new RegExp(rule.pattern, (rule.flags ?? '').replace(/[gy]/g, ''));
  const { contains } = rule;
  return (line) => {
    if (contains !== undefined && !line.includes(contains)) return undefined;
    const match = pattern.exec(line);
    if (!match) return undefined;
    return toFact(rule.says, partsOf(match.groups, rule.name), format);
  };
}

/** Spreading the groups would cost more than matching them. */
function partsOf(groups: Record<string, string> | undefined, name: string | undefined): Parts {
  if (!groups) return { name };
  const { seconds, ms, status, detail } = groups;
  return { name: 'name' in groups ? groups['name'] : name, seconds, ms, status, detail };
}

function compileJson(rule: JsonRule, format: Format): FieldsReader {
  const where = Object.entries(rule.where).map(([key, value]) => ({ read: reader(key), value }));
  const fields = Object.entries(rule.fields).map(([part, keys]) => ({
    part,
    readers: keys.split('|').map(reader),
  }));
  return (json) => {
    for (const { read, value } of where) {
      const found = read(json);
      if (found === undefined || (value !== '*' && found !== value)) return undefined;
    }
    const parts: Record<string, string> = {};
    for (const { part, readers } of fields) {
      const value = firstOf(readers, json);
      if (value !== undefined) parts[part] = value;
    }
    return toFact(rule.says, parts, format);
  };
}

/** Reads `a.b`, also where a logger wrote the dotted name as one key. */
function reader(path: string): (json: Record<string, unknown>) => string | undefined {
  const steps = path.split('.');
  return (json) => {
    let value: unknown = json[path];
    if (value === undefined && steps.length > 1) {
      value = json;
      for (const step of steps) value = record(value)?.[step];
    }
    if (typeof value === 'string') return value.slice(0, 400);
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  };
}
