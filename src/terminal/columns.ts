// Apart from format.ts because measuring is slow to load, and plain lines of a release do without it.
import stringWidth from 'string-width';

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - stringWidth(text))) + text;
}

export type Align = 'left' | 'right';

/** Aligned lines; widths are counted as a terminal shows them, colours included. The last column is not padded. */
export function table(
  rows: readonly (readonly string[])[],
  align: readonly Align[] = [],
  gap = '  ',
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, stringWidth(cell));
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (align[column] === 'right' ? padStart : padEnd)(cell, widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}
