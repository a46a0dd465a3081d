import { html } from 'hono/html';
import { sanitiseLine } from '../../terminal/sanitise.ts';

/** Markup whose foreign parts are escaped: hono's `html` escapes whatever is put into it. */
export type Markup = ReturnType<typeof html>;

/** Foreign text: no control or direction characters, bounded; escaped when it is put into markup. */
export function text(foreign: string, limit = 500): string {
  return sanitiseLine(foreign, limit);
}

/** A titled part of the page; nothing at all when there is nothing to say. */
export function part(title: string, content: Markup | Markup[] | null): Markup | '' {
  if (content === null || (Array.isArray(content) && content.length === 0)) return '';
  return html`<section><h3>${title}</h3>${content}</section>`;
}

export function rows(
  head: readonly string[],
  cells: readonly (readonly (Markup | string)[])[],
): Markup | null {
  if (cells.length === 0) return null;
  return html`<div class="scroll"><table>
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${cells.map((line) => html`<tr>${line.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`;
}

type Tone = 'good' | 'bad' | 'doubt' | 'dim';

const tones: Record<string, Tone> = {
  passed: 'good',
  completed: 'good',
  healthy: 'good',
  done: 'good',
  deployed: 'good',
  met: 'good',
  'not met': 'bad',
  failed: 'bad',
  fatal: 'bad',
  error: 'bad',
  skipped: 'dim',
  'not-reached': 'dim',
};

/** A word with its sign; what nobody reported is in doubt, never good. The sign tells it without the colour. */
export function status(word: string): Markup {
  const tone = tones[word] ?? 'doubt';
  const sign = { good: '✔', bad: '✖', doubt: '?', dim: '–' }[tone];
  return html`<span class="tag ${tone}"><span aria-hidden="true">${sign}</span> ${word}</span>`;
}
