import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../secret.ts';
import { boundedBytes, httpFailure } from './http-failure.ts';

/** One repository of a registry that speaks the OCI distribution API, and the road to it. */
export type Repository = { origin: string; name: string; token: () => Promise<Secret>; signal: AbortSignal };

export type Blob = { digest: string; size: number };
export type Manifest = { bytes: Uint8Array; mediaType: string; blobs: Blob[]; manifests: Blob[] };

/** What hostile registries may make us hold or follow; the specification asks for 4 MiB of manifest at least. */
const most = { manifestBytes: 4 * 1024 * 1024, layers: 512, manifests: 64 };

const mediaTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;

const descriptorSchema = z.object({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
});
const manifestSchema = z.object({
  mediaType: z.enum(mediaTypes).optional(),
  config: descriptorSchema.optional(),
  layers: z.array(descriptorSchema).max(most.layers).default([]),
  manifests: z.array(descriptorSchema).max(most.manifests).default([]),
});

/** The manifest with this digest; anything else that a registry answers is refused. */
export async function readManifest(from: Repository, digest: string): Promise<Manifest> {
  const response = await send(from, `manifests/${digest}`, { headers: { accept: mediaTypes.join(', ') } });
  const bytes = await boundedBytes(response, most.manifestBytes);
  if (digestOf(bytes) !== digest) throw new Error(`${from.name} answered another manifest than ${digest}`);
  const parsed = manifestSchema.safeParse(jsonOf(bytes));
  if (!parsed.success) throw new Error(`${digest} is no image manifest: ${parsed.error.issues[0]?.message}`);
  const { config, layers, manifests, mediaType } = parsed.data;
  if (!config && manifests.length === 0) throw new Error(`${digest} names neither a config nor manifests`);
  const answered = response.headers.get('content-type')?.split(';')[0]?.trim();
  const told = mediaType ?? mediaTypes.find((known) => known === answered);
  if (!told) throw new Error(`${digest} has the unknown media type ${answered}`);
  return { bytes, mediaType: told, blobs: config ? [config, ...layers] : layers, manifests };
}

export async function writeManifest(
  to: Repository,
  digest: string,
  { bytes, mediaType }: Manifest,
): Promise<void> {
  const headers = { 'content-type': mediaType };
  await discard(await send(to, `manifests/${digest}`, { method: 'PUT', headers, body: bytes }));
}

export async function hasBlob(in_: Repository, { digest }: Blob): Promise<boolean> {
  const response = await request(in_, urlOf(in_, `blobs/${digest}`), { method: 'HEAD' });
  await discard(response);
  return response.ok;
}

/** Begins an upload; `from` is mounted when the registry can. Gives where to send the blob, or that it is there. */
export async function beginUpload(
  to: Repository,
  { digest }: Blob,
  from: Repository,
): Promise<URL | 'mounted'> {
  const mount = from.origin === to.origin ? `?mount=${digest}&from=${encodeURIComponent(from.name)}` : '';
  const response = await send(to, `blobs/uploads/${mount}`, { method: 'POST' });
  await discard(response);
  if (response.status === 201) return 'mounted';
  const location = URL.parse(response.headers.get('location') ?? '', urlOf(to, 'blobs/uploads/').href);
  // The token goes along: only where it belongs.
  if (location?.origin !== new URL(to.origin).origin) {
    throw new Error(`${to.name} names an upload elsewhere: ${location?.origin ?? 'nowhere'}`);
  }
  location.searchParams.set('digest', digest);
  return location;
}

/** Streams a blob through, and stops before its end when it is not what its digest and size say. */
export async function sendBlob(from: Repository, blob: Blob, to: Repository, upload: URL): Promise<void> {
  const source = await send(from, `blobs/${blob.digest}`, {});
  if (!source.body) throw new Error(`${from.name} answered ${blob.digest} without a body`);
  const check = verified(blob);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) };
  const body = source.body.pipeThrough(check.stream);
  try {
    const response = await request(to, upload, { method: 'PUT', headers, body, duplex: 'half' });
    if (!response.ok) throw await httpFailure(response);
    await discard(response);
  } catch (error) {
    throw check.broken() ?? error;
  }
}

function verified({ digest, size }: Blob) {
  const hash = createHash('sha256');
  let bytes = 0;
  let broken: Error | undefined;
  const refuse = (why: string): never => {
    broken = new Error(`the blob ${digest} ${why}`);
    throw broken;
  };
  const settle = (): void => {
    if (`sha256:${hash.digest('hex')}` !== digest) refuse('has other content than its digest says');
  };
  const stream = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > size) refuse(`is longer than its ${size} bytes`);
      hash.update(chunk);
      // The last chunk completes an upload, so it waits for the verdict.
      if (bytes === size) settle();
      controller.enqueue(chunk);
    },
    flush() {
      if (bytes < size) refuse(`ends after ${bytes} of ${size} bytes`);
      if (size === 0) settle();
    },
  });
  return { stream, broken: () => broken };
}

async function send(repository: Repository, path: string, init: RequestInit): Promise<Response> {
  const response = await request(repository, urlOf(repository, path), init);
  if (!response.ok) throw await httpFailure(response);
  return response;
}

async function request({ token, signal }: Repository, url: URL, init: RequestInit): Promise<Response> {
  const secret = (await token()).reveal();
  const headers = new Headers(init.headers);
  if (secret) headers.set('authorization', `Bearer ${secret}`);
  return fetch(url, { ...init, headers, signal });
}

function urlOf({ origin, name }: Repository, path: string): URL {
  return new URL(`/v2/${name}/${path}`, origin);
}

const discard = (response: Response) => response.body?.cancel();

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
