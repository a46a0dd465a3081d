export type Variables = Readonly<Record<string, string>>;

/**
 * Words as Docker reads them: quotes group, a backslash takes the next character as it is, variables are replaced
 * outside of single quotes. Throws an Error on an open quote or a substitution that Docker has and this has not.
 */
export function splitWords(text: string, variables: Variables): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) at += 1;
    else {
      const { word, end } = readWord(text, at, variables, /\s/);
      words.push(word);
      at = end;
    }
  }
  return words;
}

/** One value, spaces and all. */
export function expand(text: string, variables: Variables): string {
  return readWord(text, 0, variables, undefined).word;
}

/** `KEY=VALUE …`, or the old form `KEY VALUE`. */
export function readPairs(text: string, variables: Variables): [string, string][] {
  const [, oldKey, oldValue] = /^([^\s=]+)\s+([^=\s][\s\S]*)$/.exec(text) ?? [];
  if (oldKey !== undefined && oldValue !== undefined && !/^\S+=/.test(text))
    return [[expand(oldKey, variables), expand(oldValue, variables)]];
  return splitWords(text, variables).map((word) => {
    const at = word.indexOf('=');
    if (at <= 0) throw new Error(`"${word}" must be of the form KEY=VALUE`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

function readWord(text: string, start: number, variables: Variables, stop: RegExp | undefined) {
  let word = '';
  let at = start;
  let quote = '';
  while (at < text.length) {
    const char = text[at] ?? '';
    if (quote === '' && stop?.test(char)) break;
    if (char === '\\' && quote !== "'") {
      const next = text[at + 1] ?? '';
      word += quote === '' || /["$\\]/.test(next) ? next : `\\${next}`;
      at += 2;
    } else if ((char === '"' || char === "'") && (quote === '' || quote === char)) {
      quote = quote === '' ? char : '';
      at += 1;
    } else if (char === '$' && quote !== "'") {
      const { value, length } = readVariable(text.slice(at), variables);
      word += value;
      at += length;
    } else {
      word += char;
      at += 1;
    }
  }
  if (quote !== '') throw new Error(`unexpected end of statement while looking for matching ${quote}`);
  return { word, end: at };
}

function readVariable(text: string, variables: Variables): { value: string; length: number } {
  const [plain, name] = /^\$([A-Za-z_][A-Za-z0-9_]*)/.exec(text) ?? [];
  if (plain !== undefined && name !== undefined)
    return { value: readValue(name, variables), length: plain.length };
  if (!text.startsWith('${')) return { value: '$', length: 1 };
  const match = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([-+])((?:\$\{[^{}]*\}|[^{}])*))?\}/.exec(text);
  if (!match) throw new Error(`the local cloud does not support the substitution "${text.split(/\s/)[0]}"`);
  const [all, key = '', operator, word = ''] = match;
  const value = readValue(key, variables);
  if (operator === undefined) return { value, length: all.length };
  const useWord = operator === '-' ? value === '' : value !== '';
  const kept = operator === '-' ? value : '';
  return { value: useWord ? expand(word, variables) : kept, length: all.length };
}

function readValue(name: string, variables: Variables): string {
  return Object.hasOwn(variables, name) ? (variables[name] ?? '') : '';
}
