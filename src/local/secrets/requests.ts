import { status } from '@grpc/grpc-js';
import type { Context } from 'hono';
import { RpcError } from '../grpc.ts';
import type { Settings } from './store.ts';

const defaultPageSize = 25_000;

/** A page as `?pageSize=&pageToken=` asks for; the answer's own fields beside the items. */
export function page<T>(c: Context, all: T[]): { items: T[]; nextPageToken?: string; totalSize: number } {
  if (c.req.query('filter')) {
    throw new RpcError(status.UNIMPLEMENTED, 'filter: the local cloud does not filter secrets.');
  }
  const size = wholeNumber(c, 'pageSize') || defaultPageSize;
  const start = wholeNumber(c, 'pageToken');
  const end = start + size;
  return {
    items: all.slice(start, end),
    ...(end < all.length && { nextPageToken: String(end) }),
    totalSize: all.length,
  };
}

function wholeNumber(c: Context, parameter: string): number {
  const text = c.req.query(parameter) || '0';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new RpcError(status.INVALID_ARGUMENT, `${parameter}: '${text}' is not one that this API takes.`);
}

/** The settings that `?updateMask=` names: as sent, or emptied when nothing was sent for them. */
export function maskedSettings(c: Context, sent: Settings): Settings {
  const paths = (c.req.query('updateMask') ?? '').split(',').filter(Boolean).map(camelCase);
  if (paths.length === 0) throw new RpcError(status.INVALID_ARGUMENT, 'Field [update_mask] is required.');
  return Object.fromEntries(paths.map((path) => [path, settingAt(path, sent)]));
}

function settingAt(path: string, sent: Settings): Record<string, string> {
  if (path === 'labels' || path === 'annotations' || path === 'versionAliases') return sent[path] ?? {};
  throw new RpcError(status.INVALID_ARGUMENT, `update_mask: '${path}' cannot be updated here.`);
}

function camelCase(path: string): string {
  return path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A custom method, `NAME:VERB`, that Secret Manager here does not have. */
export function unknownVerb(verb: string): RpcError {
  const which = verb === '' ? 'this method' : `the method '${verb}'`;
  return new RpcError(status.UNIMPLEMENTED, `The local cloud does not implement ${which} of Secret Manager.`);
}
