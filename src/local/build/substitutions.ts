/** Replaces `$KEY`, `${KEY}` and `$$`. Throws with the key that is unknown. */
export function substitute(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\$|\{([A-Z_][A-Z0-9_]*)\}|([A-Z_][A-Z0-9_]*))/g, (found, braced, plain) => {
    if (found === '$$') return '$';
    const key: string = braced ?? plain;
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value === undefined) {
      throw new Error(`key "${key}" in the template "${text}" is not a valid built-in substitution`);
    }
    return value;
  });
}
