import * as Errors from '@oclif/core/errors';
import { z } from 'zod';
import type { Problem } from '../errors.ts';
import { nearest } from './suggest.ts';

/** What oclif's parse errors carry; its classes are not exported. */
const parsed = z.object({
  flags: z.array(z.string()).optional(),
  args: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).optional(),
  parse: z.object({
    input: z.object({ flags: z.record(z.string(), z.unknown()) }).optional(),
  }),
});

const missingArg = z.object({ name: z.string(), description: z.string().optional() });

export function isUsageError(error: unknown): error is Errors.CLIError {
  return error instanceof Errors.CLIError && !(error instanceof Errors.ModuleLoadError);
}

/** Never shows a flag's value but the one that is wrong: the others may be secret. */
export function describeUsageError(error: Errors.CLIError): Problem {
  const details = parsed.safeParse(error).data;
  const help = 'add --help to see what is allowed';
  if (details?.flags?.length) return unknownFlags(details.flags, details.parse.input?.flags ?? {}, help);
  const missing = z.array(missingArg).min(1).safeParse(details?.args).data;
  if (missing && /^Missing/.test(error.message)) {
    const names = missing.map((arg) => arg.name.toUpperCase());
    const why = missing.map((arg) => `${arg.name.toUpperCase()}: ${arg.description ?? 'needed'}`).join('; ');
    return { what: `${names.join(' and ')} is missing`, why, next: [help] };
  }
  const [what = error.message] = error.message
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/^Parsing (--[\w-]+) \n\t/, '$1: ')
    .split('\n');
  return { what, next: [help] };
}

function unknownFlags(given: readonly string[], known: Record<string, unknown>, help: string): Problem {
  const names = Object.keys(known).map((name) => `--${name}`);
  const flags = given.map((flag) => flag.replace(/=.*/s, ''));
  const meant = flags.flatMap((flag) => nearest(flag, names) ?? []);
  return {
    what: `there is no flag ${flags.join(', ')} here`,
    next: meant.length > 0 ? [`did you mean ${meant.join(', ')}?`, help] : [help],
  };
}
