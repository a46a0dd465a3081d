import { createHash } from 'node:crypto';

/**
 * Every line of a record ends with a digest over the digest before it and its own text, the first one over the
 * release's id: a changed, removed or reordered line no longer fits. It shows damage, not a forger who computes
 * the whole chain anew; for that its head is named elsewhere, in signed evidence.
 */
export type ChainedLine = {
  /** The line as it was before the digest was put to it. */
  text: string;
  digest: string;
};

const link = /,"chain":"([0-9a-f]{64})"\}$/;

/** `{…}` after `before` becomes `{…,"chain":"…"}`. `text` is a JSON object on one line. */
export function chain(before: string, text: string): { line: string; digest: string } {
  const digest = digestOf(before, text);
  return { line: `${text.slice(0, -1)},"chain":"${digest}"}`, digest };
}

/** undefined for a line without a digest. */
export function unchain(line: string): ChainedLine | undefined {
  const found = link.exec(line);
  const digest = found?.[1];
  return digest === undefined ? undefined : { text: `${line.slice(0, found?.index)}}`, digest };
}

export function fits(before: string, { text, digest }: ChainedLine): boolean {
  return digestOf(before, text) === digest;
}

function digestOf(before: string, text: string): string {
  return createHash('sha256').update(`${before}\n${text}`).digest('hex');
}
