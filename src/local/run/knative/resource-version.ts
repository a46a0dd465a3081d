/** A resource's version as Knative shows it: eight bytes, big-endian, such as `AAYzrYzOEsA`. */
export function formatResourceVersion(version: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(version));
  return bytes.toString('base64').replace(/=+$/, '');
}

/** The version in decimals, or the text itself when it is none of ours. */
export function readResourceVersion(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 8 ? String(bytes.readBigUInt64BE()) : text;
}
