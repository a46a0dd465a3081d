import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';

const maxPageSize = 100;

/** `most`: the API's own limit on the size of a page, which is also the size of one that nobody asked for. */
export function page<T>(
  all: readonly T[],
  pageSize = 0,
  pageToken = '',
  most = maxPageSize,
): { items: T[]; nextPageToken: string } {
  const start = Number(pageToken || 0);
  if (!Number.isSafeInteger(start) || start < 0) {
    throw new RpcError(status.INVALID_ARGUMENT, `page_token: '${pageToken}' is not one that this API gave.`);
  }
  const end = start + Math.min(pageSize > 0 ? pageSize : most, most);
  return { items: all.slice(start, end), nextPageToken: end < all.length ? String(end) : '' };
}
