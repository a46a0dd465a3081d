import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CloudError, CloudError as CloudErrorClass } from '../../src/cloud/ports/index.ts';
import { registryAdapter } from '../../src/cloud/registry-adapter.ts';
import { Waiting } from '../../src/cloud/waiting.ts';
import { Secret } from '../../src/secret.ts';
import { openRegistry, putImage, putIndex, putManifest, type Registry } from './registry-kit.ts';

let registries: Record<'a' | 'b', Registry>;
beforeEach(async () => {
  const [a, b] = await Promise.all([openRegistry(), openRegistry()]);
  registries = { a, b };
});
afterEach(() => Promise.all(Object.values(registries).map((registry) => registry.close())));

const from = 'p1/images/chat';
const to = 'p2/images/chat';

/** `a.example` and `b.example` are the two registries. */
function copy(image: { from: string; to: string }, signal = new AbortController().signal) {
  const port = registryAdapter(
    {
      origin: (host) => (host === 'a.example' ? registries.a.origin : registries.b.origin),
      token: async () => new Secret('token-1'),
    },
    new Waiting(),
  );
  return port.copy(image, { signal, timeoutMs: 5_000 });
}

const across = (digest: string) => copy({ from: `a.example/${from}@${digest}`, to: `b.example/${to}` });
const refusal = (promise: Promise<unknown>): Promise<CloudError> =>
  promise.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => {
      if (error instanceof CloudErrorClass) return error;
      throw error;
    },
  );

test('copies an image to another registry, its manifest byte for byte', async () => {
  const { a, b } = registries;
  const digest = putImage(a, from, ['layer one', 'layer two', 'layer one']);
  expect(await across(digest)).toEqual({ blobs: 3, sent: 3, bytes: 42 });
  expect(b.manifests.get(`${to}/${digest}`)?.bytes).toEqual(a.manifests.get(`${from}/${digest}`)?.bytes);
  for (const [blob, bytes] of a.blobs) expect(b.blobs.get(blob)).toEqual(bytes);
  expect(new Set([...a.requests, ...b.requests].map(({ authorization }) => authorization))).toEqual(
    new Set(['Bearer token-1']),
  );
});

test('sends nothing twice', async () => {
  const digest = putImage(registries.a, from, ['layer one']);
  await across(digest);
  expect(await across(digest)).toEqual({ blobs: 2, sent: 0, bytes: 0 });
});

test('mounts what lies in the same registry, and sends it when that cannot be', async () => {
  const { a } = registries;
  const digest = putImage(a, from, ['layer one']);
  const within = (repository: string) =>
    copy({ from: `a.example/${from}@${digest}`, to: `a.example/${repository}` });
  expect(await within(to)).toMatchObject({ sent: 0 });
  a.lie = { mounts: false };
  expect(await within('p3/images/chat')).toMatchObject({ sent: 2 });
  expect(a.manifests.has(`p3/images/chat/${digest}`)).toBe(true);
});

test('copies an index with all that it names', async () => {
  const { a, b } = registries;
  const images = [putImage(a, from, ['amd64']), putImage(a, from, ['arm64'])];
  const index = putIndex(a, from, images);
  await across(index);
  expect([...b.manifests.keys()].sort()).toEqual(
    [index, ...images].map((digest) => `${to}/${digest}`).sort(),
  );
});

test('keeps any bytes', async () => {
  const layers = fc.array(fc.string({ minLength: 0, maxLength: 200 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(layers, async (contents) => {
      const digest = putImage(registries.a, from, contents);
      await across(digest);
      expect(registries.b.manifests.get(`${to}/${digest}`)?.bytes).toEqual(
        registries.a.manifests.get(`${from}/${digest}`)?.bytes,
      );
    }),
    { numRuns: 15 },
  );
});

describe('a registry that lies is refused, and no manifest is written', () => {
  const longer = (bytes: Buffer) => Buffer.concat([bytes, bytes]);
  const other = (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 1));
  test.each<[string, 'a' | 'b', Registry['lie'], RegExp]>([
    ['about a manifest', 'a', { manifest: other }, /answered another manifest/],
    ['with a manifest without end', 'a', { manifest: () => Buffer.alloc(5e6) }, /longer than/],
    ["about a blob's content", 'a', { blob: other }, /other content than its digest says/],
    ["about a blob's size", 'a', { blob: longer }, /longer than its \d+ bytes/],
    ['with a blob cut short', 'a', { blob: (b) => b.subarray(1) }, /ends after \d+ of \d+ bytes/],
    ['with a blob without end', 'a', { blob: 'endless' }, /longer than its \d+ bytes/],
    ['about where to upload', 'b', { location: 'http://evil.example/x' }, /upload elsewhere/],
    ['by naming no upload', 'b', { location: 'http://' }, /upload elsewhere: nowhere/],
  ])('%s', async (_, liar, lie, told) => {
    const digest = putImage(registries.a, from, ['layer one', 'layer two']);
    registries[liar].lie = lie;
    expect((await refusal(across(digest))).said).toMatch(told);
    expect(registries.b.manifests.size).toBe(0);
  });

  test.each<[string, object, RegExp]>([
    ['that is none', { hello: 'world' }, /names neither a config nor manifests/],
    ['with a digest that is none', { config: { digest: 'sha256:../../x', size: 1 } }, /is no image manifest/],
    [
      'with too many layers',
      { layers: Array(1000).fill({ digest: digest0(), size: 1 }) },
      /is no image manifest/,
    ],
    ['with a negative size', { config: { digest: digest0(), size: -1 } }, /is no image manifest/],
    [
      'of an unknown type',
      { mediaType: 'text/html', config: { digest: digest0(), size: 1 } },
      /no image manifest/,
    ],
  ])('with a manifest %s', async (_, manifest, told) => {
    const digest = putManifest(registries.a, from, manifest, 'application/vnd.oci.image.manifest.v1+json');
    expect((await refusal(across(digest))).said).toMatch(told);
  });

  test('by indexes without end', async () => {
    const { a } = registries;
    let digest = putImage(a, from, ['deep']);
    for (let depth = 0; depth < 5; depth++) digest = putIndex(a, from, [digest]);
    expect((await refusal(across(digest))).said).toMatch(/index within indexes/);
  });
});

test('a refusal keeps its kind, and an abort ends it', async () => {
  const digest = putImage(registries.a, from, ['layer one']);
  registries.a.lie = { status: 403 };
  expect(await refusal(across(digest))).toMatchObject({ kind: 'forbidden', method: 'registry.copy' });
  registries.a.lie = { blob: 'endless' };
  const given = { from: `a.example/${from}@${digest}`, to: `b.example/${to}` };
  expect(await refusal(copy(given, AbortSignal.abort()))).toMatchObject({ kind: 'aborted' });
});

function digest0(): string {
  return `sha256:${'0'.repeat(64)}`;
}
