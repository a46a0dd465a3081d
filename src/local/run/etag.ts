import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';

export function formatEtag(version: number): string {
  return `"${Buffer.from(String(version)).toString('base64url')}"`;
}

/** Throws Google's conflict unless the etag is empty or names this version. */
export function checkEtag(resource: string, etag: string | undefined, version: number): void {
  if (!etag || etag === formatEtag(version)) return;
  const given = Buffer.from(etag.replaceAll('"', ''), 'base64url').toString();
  throw new RpcError(
    status.ABORTED,
    `Conflict for resource '${resource}': version '${/^\d+$/.test(given) ? given : etag}' was specified but current version is '${version}'.`,
  );
}
