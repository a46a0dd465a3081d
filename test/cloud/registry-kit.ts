import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A registry that speaks the OCI distribution API as far as a copy needs it, and lies when it is told to. */
export type Registry = {
  origin: string;
  blobs: Map<string, Buffer>;
  /** By `REPOSITORY/DIGEST`. */
  manifests: Map<string, { bytes: Buffer; type: string }>;
  /** Which repository has which blob: `REPOSITORY/DIGEST`. */
  has: Set<string>;
  requests: { method: string; url: string; authorization: string | undefined }[];
  lie: Lie;
  close(): Promise<void>;
};

type Lie = {
  manifest?: (bytes: Buffer) => Buffer;
  /** Sends this instead of a blob; `endless` never ends. */
  blob?: 'endless' | ((bytes: Buffer) => Buffer);
  mounts?: false;
  location?: string;
  /** The status of every answer. */
  status?: number;
};

function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export async function openRegistry(): Promise<Registry> {
  const registry: Registry = {
    ...{ origin: '', blobs: new Map(), manifests: new Map(), has: new Set(), requests: [], lie: {} },
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
  const server = http.createServer((req, res) => {
    const { method = '', url = '', headers } = req;
    registry.requests.push({ method, url, authorization: headers.authorization });
    answer(registry, req, res).catch(() => res.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  registry.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return registry;
}

async function answer(
  registry: Registry,
  req: http.IncomingMessage,
  res: http.ServerResponse,
): Promise<void> {
  const { lie } = registry;
  const url = new URL(req.url ?? '', registry.origin);
  const [, name = '', kind = '', rest = ''] =
    /^\/v2\/(.+?)\/(manifests|blobs)\/(.*)$/.exec(url.pathname) ?? [];
  const end = (status: number, headers: http.OutgoingHttpHeaders = {}, body: Buffer | string = '') =>
    void res.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
  if (lie.status) return end(lie.status);
  const digest = url.searchParams.get('digest') ?? '';
  const key = `${name}/${rest}`;
  switch (`${req.method} ${kind}`) {
    case 'GET manifests': {
      const found = registry.manifests.get(key);
      if (!found) return end(404);
      return end(200, { 'content-type': found.type }, lie.manifest?.(found.bytes) ?? found.bytes);
    }
    case 'PUT manifests': {
      const bytes = await bodyOf(req);
      if (digestOf(bytes) !== rest) return end(400);
      registry.manifests.set(key, { bytes, type: req.headers['content-type'] ?? '' });
      return end(201);
    }
    case 'HEAD blobs':
      return void res.writeHead(registry.has.has(key) ? 200 : 404).end();
    case 'GET blobs': {
      const bytes = registry.has.has(key) ? registry.blobs.get(rest) : undefined;
      if (!bytes) return end(404);
      if (lie.blob !== 'endless') return end(200, {}, lie.blob?.(bytes) ?? bytes);
      res.writeHead(200);
      const pour = (): void => void (res.destroyed || res.write(Buffer.alloc(64 * 1024), pour));
      return pour();
    }
    case 'POST blobs': {
      const mount = url.searchParams.get('mount') ?? '';
      const from = url.searchParams.get('from') ?? '';
      if (lie.mounts !== false && mount && registry.has.has(`${from}/${mount}`)) {
        registry.has.add(`${name}/${mount}`);
        return end(201);
      }
      return end(202, { location: lie.location ?? `/v2/${name}/blobs/uploads/1?state=x` });
    }
    case 'PUT blobs': {
      const bytes = await bodyOf(req);
      if (digestOf(bytes) !== digest) return end(400);
      registry.blobs.set(digest, bytes);
      registry.has.add(`${name}/${digest}`);
      return end(201);
    }
    default:
      return end(405);
  }
}

async function bodyOf(req: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

/** Puts an image into a repository; gives its digest. */
export function putImage(registry: Registry, name: string, contents: readonly string[]): string {
  const descriptors = ['{"architecture":"amd64"}', ...contents].map((content) => {
    const bytes = Buffer.from(content);
    const digest = digestOf(bytes);
    registry.blobs.set(digest, bytes);
    registry.has.add(`${name}/${digest}`);
    return { mediaType: 'application/octet-stream', digest, size: bytes.length };
  });
  const [config, ...layers] = descriptors;
  // Spaces that a parser would lose: what is copied are the bytes.
  return putManifest(
    registry,
    name,
    { schemaVersion: 2, mediaType: manifestType, config, layers },
    manifestType,
  );
}

export function putIndex(registry: Registry, name: string, digests: readonly string[]): string {
  const manifests = digests.map((digest) => ({ mediaType: manifestType, digest, size: 1 }));
  return putManifest(registry, name, { schemaVersion: 2, mediaType: indexType, manifests }, indexType);
}

export function putManifest(registry: Registry, name: string, manifest: object, type: string): string {
  const bytes = Buffer.from(JSON.stringify(manifest, null, 3));
  const digest = digestOf(bytes);
  registry.manifests.set(`${name}/${digest}`, { bytes, type });
  return digest;
}
