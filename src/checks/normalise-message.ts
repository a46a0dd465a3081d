/**
 * What tells two occurrences of one error apart, and what stands for it. Quoted text goes first, whole ids before
 * the numbers in them. Ids and numbers have one sign, for an id may happen to be a number.
 */
const rules: readonly (readonly [pattern: RegExp, placeholder: string])[] = [
  [/"[^"\n]*"|`[^`\n]*`|(?<!\w)'[^'\n]*'(?!\w)/g, '<value>'],
  [/\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})?/g, '<time>'],
  [/\b\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b/g, '<time>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '#'],
  [/\b0x[0-9a-f]+\b/gi, '#'],
  [/\b[0-9a-f]{8,}\b/gi, '#'],
  // Random ids and names with a time in them: letters, and two digits at least.
  [/(?<![\w-])(?=[\w-]{8,})(?=[\w-]*\d[\w-]*\d)(?=[\w-]*[a-z])[\w-]+/gi, '#'],
  [/\d+(?:[.,]\d+)*/g, '#'],
  [/\s+/g, ' '],
];

/**
 * An error message without what changes from one occurrence to the next: times, ids, numbers, quoted values and
 * the numbers of lines become placeholders. Two messages are one error when they normalise to the same text;
 * normalising a normalised text changes nothing.
 */
export function normaliseMessage(message: string): string {
  let text = message.trim();
  for (;;) {
    // What a replacement joins may be something to replace: each pass leaves fewer digits and quotes.
    const next = rules.reduce((left, [pattern, placeholder]) => left.replace(pattern, placeholder), text);
    if (next === text) return text;
    text = next;
  }
}
