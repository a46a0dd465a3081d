import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { ConfigProblem } from './problem.ts';

export type Path = readonly (string | number)[];
type Position = { line: number; column: number };

/** A parsed file and where each thing in it stands. */
export type Source = {
  /** The file's name as a person would open it. */
  file: string;
  value: unknown;
  /** Where a path stands, or the nearest thing above it. `key` asks for the key, `value` for what it holds. */
  locate(path: Path, part: 'key' | 'value'): Position;
};

/** Aliases at most: more is an attempt to fill the memory. */
const maxAliasCount = 100;

/** YAML text → values with their positions, or everything that is wrong with its syntax. Never throws. */
export function parseSource(
  file: string,
  text: string,
): { source: Source; problems: [] } | { problems: ConfigProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problem = (offset: number, message: string): ConfigProblem => ({
    file,
    ...at(offset),
    path: '',
    message,
  });

  const problems = [...document.errors, ...document.warnings].map((e) => problem(e.pos[0], sayError(e)));
  if (problems.length > 0) return { problems };
  const odd = oddities(document).map(({ offset, message }) => problem(offset, message));
  if (odd.length > 0) return { problems: odd };
  try {
    const value: unknown = document.toJS({ maxAliasCount }) ?? {};
    return {
      source: { file, value, locate: (path, part) => at(offsetOf(document, path, part)) },
      problems: [],
    };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return { problems: [problem(0, `more than ${maxAliasCount} uses of anchors`)] };
  }
}

function sayError(error: { code: string; message: string }): string {
  if (error.code === 'MULTIPLE_DOCS') return 'a second document begins here; sluice.yaml is one document';
  if (error.code === 'DUPLICATE_KEY') return 'this key stands twice in the same map';
  if (error.message === 'Maximum call stack size exceeded') return 'nested too deeply';
  return `not valid YAML: ${error.message}`;
}

/** What YAML allows and a config does not: keys that are no text, loops of aliases, unknown anchors. */
function oddities(document: Document.Parsed): { offset: number; message: string }[] {
  const found: { offset: number; message: string }[] = [];
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || pair.key.value === '__proto__' || typeof pair.key.value === 'object')
        found.push({ offset: startOf(pair.key), message: 'a key must be plain text' });
    },
    Alias(_, alias, ancestors) {
      const target = alias.resolve(document);
      const offset = startOf(alias);
      if (target === undefined) found.push({ offset, message: `there is no anchor &${alias.source}` });
      else if (ancestors.some((ancestor) => ancestor === target))
        found.push({ offset, message: `*${alias.source} stands inside the thing that it repeats` });
    },
  });
  return found;
}

function offsetOf(document: Document.Parsed, path: Path, part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => String(isScalar(item.key) ? item.key.value : item.key) === String(step),
      );
      if (!isPair(pair)) return offset;
      const wantsKey = part === 'key' && depth === path.length - 1;
      offset = wantsKey || !hasText(pair.value) ? startOf(pair.key) : startOf(pair.value);
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
      node = node.items[step];
      offset = startOf(node);
    } else return offset;
  }
  return offset;
}

/** A section is found at its key, which is where a person looks; a value at itself. */
function hasText(node: unknown): boolean {
  return isScalar(node) && node.source !== '' && node.range != null;
}

function startOf(node: unknown): number {
  return isNode(node) ? ((node as Node).range?.[0] ?? 0) : 0;
}
