import type { Context } from 'hono';
import type { WebEnv } from '../../web/env.ts';
import { page } from '../page.ts';
import { labelSelector } from './selector.ts';

type C = Context<WebEnv>;

/** Without a limit a client gets everything, as gcloud expects; no state has more than this. */
const most = 10_000;

/** Those that the request's label selector asks for. */
export function selected<T>(
  c: C,
  all: readonly T[],
  labels: (item: T) => Record<string, string>,
): readonly T[] {
  const selector = c.req.query('labelSelector');
  if (!selector) return all;
  const matches = labelSelector(selector);
  return all.filter((item) => matches(labels(item)));
}

/** One page of a list, as the request asks for it. */
export function listPage<T>(c: C, kind: string, all: readonly T[], render: (item: T) => object): object {
  const limit = Number(c.req.query('limit') ?? 0);
  const { items, nextPageToken } = page(all, limit, c.req.query('continue'), most);
  return {
    ...{ apiVersion: 'serving.knative.dev/v1', kind },
    metadata: nextPageToken ? { continue: nextPageToken } : {},
    items: items.map(render),
  };
}
