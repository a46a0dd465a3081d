import type { z } from 'zod';
import type { Path } from './document.ts';
import { isValues, valueAt } from './merge.ts';
import { nearest } from './problem.ts';

/** Something wrong at a path, before anybody knows where in the file that is. */
export type Fault = {
  path: Path;
  /** Stands the fault at the key itself or at what it holds? */
  part: 'key' | 'value';
  message: string;
  found?: string;
  allowed?: string;
  suggestion?: string;
};

/** zod's issues in our words. A schema's own error text is the phrase that says what is allowed. */
export function faultsOf(error: z.core.$ZodError, value: unknown): Fault[] {
  return error.issues.flatMap((issue) => faultsOfIssue(issue, value));
}

function faultsOfIssue(issue: z.core.$ZodIssue, value: unknown): Fault[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  const allowed = issue.message;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      part: 'key',
      message: `unknown key "${key}"`,
      allowed,
      ...suggest(key, allowed.split(', ')),
    }));
  }
  if (issue.code === 'invalid_key') {
    const allowedKey = issue.issues[0]?.message ?? allowed;
    return [{ path, part: 'key', message: `"${path.at(-1)}" is no name for this`, allowed: allowedKey }];
  }
  const found = valueAt(value, path);
  const inner =
    issue.code === 'invalid_union' && isValues(found) ? issue.errors.find(isAboutTheInside) : undefined;
  if (inner) return inner.flatMap((deep) => faultsOfIssue({ ...deep, path: [...path, ...deep.path] }, value));
  if (found === undefined) return [{ path, part: 'key', message: `"${path.at(-1)}" is missing`, allowed }];
  if (issue.code === 'invalid_type')
    return [{ path, part: 'value', message: 'wrong type', found: kindOf(found), allowed }];
  const options = issue.code === 'invalid_value' || issue.code === 'invalid_union' ? allowed.split(', ') : [];
  return [
    {
      path,
      part: 'value',
      message: 'wrong value',
      found: show(found),
      allowed,
      ...(typeof found === 'string' ? suggest(found, options) : {}),
    },
  ];
}

/** Of the shapes that a value may have, the one whose objections are not to the value as a whole. */
function isAboutTheInside(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys');
}

export function suggest(typed: string, allowed: readonly string[]): { suggestion?: string } {
  const suggestion = nearest(typed, allowed);
  return suggestion === undefined || suggestion === typed ? {} : { suggestion };
}

/** The kind alone: what stands under `env` may be anything, also what nobody should see. */
function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (isValues(value)) return 'a map';
  return (
    { string: 'text', number: 'a number', boolean: 'true or false' }[String(typeof value)] ?? typeof value
  );
}

export function show(value: unknown): string {
  if (typeof value !== 'string')
    return isValues(value) || Array.isArray(value) ? kindOf(value) : String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
