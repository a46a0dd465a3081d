import pLimit from 'p-limit';
import type { Secret } from '../secret.ts';
import { invoke, type Method } from './call.ts';
import type { Copied, RegistryPort } from './ports/index.ts';
import {
  type Blob,
  beginUpload,
  hasBlob,
  type Repository,
  readManifest,
  sendBlob,
  writeManifest,
} from './registry-wire.ts';
import { transientRead } from './retry.ts';
import type { Waiting } from './waiting.ts';

export type Registries = {
  /** Where a registry answers, by the host of its images: `https://us-docker.pkg.dev`. */
  origin: (host: string) => string;
  /** An access token; empty for none. */
  token: () => Promise<Secret>;
};

/** Everything is addressed by its content, so a copy that was cut off is simply made again. */
const copy: Method = { name: 'registry.copy', timeoutMs: 15 * 60_000, write: false, retry: transientRead };

const blobsAtOnce = 3;
/** An index of indexes is allowed once. */
const deepest = 2;

export function registryAdapter(registries: Registries, waiting: Waiting): RegistryPort {
  const on = { client: async () => registries, waiting };
  return {
    copy: ({ from, to }, call) =>
      invoke(on, copy, `${from} to ${to}`, call, async ({ origin, token }, { signal }) => {
        const [repository = '', digest = ''] = from.split('@');
        const open = (name: string): Repository => ({ ...parse(name), token, signal });
        const parse = (name: string) => {
          const slash = name.indexOf('/');
          return { origin: origin(name.slice(0, slash)), name: name.slice(slash + 1) };
        };
        return copyImage(open(repository), open(to), digest);
      }),
  };
}

/** Blobs first, then the manifest that names them: a registry never has an image with holes. */
async function copyImage(from: Repository, to: Repository, digest: string, depth = 0): Promise<Copied> {
  if (depth > deepest) throw new Error(`${digest} is an index within indexes`);
  const manifest = await readManifest(from, digest);
  const copied: Copied = { blobs: 0, sent: 0, bytes: 0 };
  for (const child of manifest.manifests) add(copied, await copyImage(from, to, child.digest, depth + 1));
  const slots = pLimit(blobsAtOnce);
  const blobs = [...new Map(manifest.blobs.map((blob) => [blob.digest, blob])).values()];
  const sent = await Promise.all(blobs.map((blob) => slots(() => copyBlob(from, to, blob))));
  add(copied, { blobs: blobs.length, sent: sent.filter((bytes) => bytes > 0).length, bytes: sum(sent) });
  await writeManifest(to, digest, manifest);
  // What a registry stored, not what it said that it stored.
  await readManifest(to, digest);
  return copied;
}

/** The bytes that had to be sent. */
async function copyBlob(from: Repository, to: Repository, blob: Blob): Promise<number> {
  if (await hasBlob(to, blob)) return 0;
  const upload = await beginUpload(to, blob, from);
  if (upload === 'mounted') return 0;
  await sendBlob(from, blob, to, upload);
  return blob.size;
}

function add(total: Copied, more: Copied): void {
  total.blobs += more.blobs;
  total.sent += more.sent;
  total.bytes += more.bytes;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
