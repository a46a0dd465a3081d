import { SluiceError } from '../errors.ts';

/** `KEY=VALUE` words of the command line. The last of a repeated key counts. Throws `usage`. */
export function parseAssignments(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [, key, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(word) ?? [];
      if (key !== undefined && value !== undefined) return [key, value];
      throw new SluiceError('usage', {
        what: `--env ${word.split('=')[0]} is not KEY=VALUE.`,
        next: ['write it as --env LOG_LEVEL=debug'],
      });
    }),
  );
}
