import { padEnd } from '../terminal/columns.ts';
import type { Theme } from '../terminal/theme.ts';

const labelWidth = 10;

/** `  label      first line`, further lines under it; nothing without lines. */
export function field(label: string, lines: readonly string[], theme: Theme): string[] {
  return lines.map((line, index) => {
    const head = padEnd(index === 0 ? label : '', labelWidth);
    return `  ${theme.dim(head)} ${line}`.trimEnd();
  });
}
