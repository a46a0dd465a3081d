import { type ParseArgsConfig, parseArgs } from 'node:util';
import { refused } from '../schema.ts';

/** The arguments of a tool; one that is not among the options is refused by name. */
export function readCommandLine<Options extends NonNullable<ParseArgsConfig['options']>>(
  tool: string,
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, strict: true, options });
  } catch (error) {
    // "Unknown option '--squash'. To specify a positional argument …": the first sentence says it.
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw refused(`the local cloud does not support this '${tool}': ${why}`);
  }
}

/** `KEY=VALUE` words as an object. A word without `=` is refused. */
export function keyValues(words: readonly string[], what: string): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at <= 0) throw refused(`${what} "${word}" must be of the form "KEY=VALUE"`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}
