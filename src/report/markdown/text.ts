import { sanitise, sanitiseLine } from '../../terminal/sanitise.ts';

/** Foreign text in Markdown stands in code: no markup, no link, no mention, no closing of issues comes of it. */
export function code(text: string, limit = 300): string {
  const line = sanitiseLine(text, limit).replaceAll('`', 'ʼ').replaceAll('|', '¦');
  return line === '' ? '–' : `\`${line}\``;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [row(head), row(head.map(() => '---')), ...rows.map(row), ''];
}

/** A heading with what is under it; nothing at all when there is nothing to say. */
export function section(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [heading, '', ...lines, ...(lines.at(-1) === '' ? [] : [''])];
}

/** A block of lines as they are, but for what no page may hold. */
export function fenced(foreign: string, language: string): string[] {
  const text = sanitise(foreign, 8_000);
  // A fence longer than any in the text cannot be closed from within.
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${language}`, ...text.split('\n'), fence, ''];
}

/** A list of what is known; the rest is left out. */
export function bullets(pairs: readonly (readonly [string, string | null | undefined | false])[]): string[] {
  return pairs.flatMap(([name, value]) => (value ? [`- **${name}**: ${value}`] : []));
}
