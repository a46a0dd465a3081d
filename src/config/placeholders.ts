import type { Path } from './document.ts';
import { isValues, type Values } from './merge.ts';

/** `{env}`, `{project}`, …: what Sluice knows of a target. */
export type Known = Partial<Record<'env' | 'project' | 'region' | 'service', string>>;
export type Variables = Readonly<Record<string, string | undefined>>;
/** A placeholder that has no value, and why. */
export type Unfilled = { path: Path; message: string };

const placeholder = /\$\$\{|\$\{([^}]*)\}|\$\{|\{(env|project|region|service)\}/g;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Does this text still wait for a value? */
export function holdsPlaceholder(value: unknown): boolean {
  return typeof value === 'string' && value.search(placeholder) >= 0;
}

/**
 * Fills `{env}`-like placeholders and `${VAR}` in every text of a tree; keys stay as they are, and what was filled
 * in is not looked at again. `$${X}` stands for a literal `${X}`. A text that cannot be filled stays as typed.
 */
export function fill(
  value: unknown,
  known: Known,
  variables: Variables,
): { value: unknown; unfilled: Unfilled[] } {
  const unfilled: Unfilled[] = [];

  const fillText = (typed: string, path: Path): string => {
    const before = unfilled.length;
    const filled = typed.replace(
      placeholder,
      (whole, variable: string | undefined, name: keyof Known | undefined) => {
        const filling = fillOne(whole, variable, name, known, variables);
        if ('text' in filling) return filling.text;
        unfilled.push({ path, message: filling.message });
        return whole;
      },
    );
    return unfilled.length > before ? typed : filled;
  };

  const walk = (inner: unknown, path: Path): unknown => {
    if (typeof inner === 'string') return fillText(inner, path);
    if (Array.isArray(inner)) return inner.map((item, index) => walk(item, [...path, index]));
    if (!isValues(inner)) return inner;
    const filled: Values = {};
    for (const [key, item] of Object.entries(inner)) filled[key] = walk(item, [...path, key]);
    return filled;
  };

  return { value: walk(value, []), unfilled };
}

function fillOne(
  whole: string,
  variable: string | undefined,
  name: keyof Known | undefined,
  known: Known,
  variables: Variables,
): { text: string } | { message: string } {
  if (whole === '$${') return { text: '${' };
  if (name !== undefined) {
    const text = known[name];
    return text === undefined ? { message: `{${name}} is not known here` } : { text };
  }
  if (variable === undefined)
    return { message: '"${" begins a placeholder that does not end; write "$${" for the text itself' };
  if (!variableName.test(variable))
    return { message: `"${whole}" is no variable; write "$${whole}" for the text itself` };
  const text = variables[variable];
  return text === undefined ? { message: `the environment variable ${variable} is not set` } : { text };
}
