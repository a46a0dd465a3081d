export function formatEtag(version: number): string {
  return `"${Buffer.from(String(version)).toString('base64url')}"`;
}

/** The version (in decimals) that an etag names, the text itself when it is none of ours, nothing when it is empty. */
export function versionOf(etag: string | undefined): string | undefined {
  if (!etag) return undefined;
  const version = Buffer.from(etag.replaceAll('"', ''), 'base64url').toString();
  return /^\d+$/.test(version) ? version : etag;
}
