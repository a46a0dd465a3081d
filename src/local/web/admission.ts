import type { IncomingMessage } from 'node:http';

/**
 * gcloud puts the region before the host of Cloud Run (`REGION-HOST`), which no loopback address allows. So it is
 * told this host, and to use the local cloud as its HTTP proxy; no name server ever hears of it.
 */
export const proxiedHost = 'run.sluice.internal';

/** How a request reached the local cloud, or why it may not. */
export type Admission =
  /** `location` stands in the proxied host's name. */
  { admitted: true; path: string; location?: string } | { admitted: false };

/**
 * A web page can reach loopback: by a name of its own that resolves to it, or with a simple request, whose answer it
 * cannot read but whose effect it has. The first shows in the Host header, the second in Origin and Sec-Fetch-Site; no
 * client of an API sends either. A browser asks by an absolute URL only where it was told to use the local cloud as a proxy.
 */
export function admit({ method, url = '/', headers }: IncomingMessage): Admission {
  if (headers.origin !== undefined || isFromPage(method, headers)) return { admitted: false };
  if (url.startsWith('/'))
    return isLoopback(headers.host) ? { admitted: true, path: url } : { admitted: false };
  const target = URL.parse(url);
  if (target?.protocol !== 'http:') return { admitted: false };
  const path = target.pathname + target.search;
  if (isLoopback(target.host)) return { admitted: true, path };
  if (target.hostname === proxiedHost) return { admitted: true, path };
  const suffix = `-${proxiedHost}`;
  const { hostname } = target;
  if (!hostname.endsWith(suffix)) return { admitted: false };
  return { admitted: true, path, location: hostname.slice(0, -suffix.length) };
}

/** Browsers say where a request comes from (Fetch Metadata). A person may follow a link, to a build's log say. */
function isFromPage(method: string | undefined, headers: IncomingMessage['headers']): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'none') return false;
  return method !== 'GET' || headers['sec-fetch-dest'] !== 'document';
}

function isLoopback(host = ''): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(host);
}
