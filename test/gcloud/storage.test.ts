import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { judge } from './kit.ts';

const bucket = 'gs://judged-bucket';

judge('Storage', {}, (judged) => {
  const storage = (...args: string[]) => judged().said(['storage', ...args]);
  const refused = async (...args: string[]) => {
    const { exitCode, stderr } = await judged().gcloud(['storage', ...args]);
    expect(exitCode).not.toBe(0);
    return stderr;
  };
  const names = async (...args: string[]) => (await storage('ls', ...args)).split('\n').filter(Boolean);

  test('a bucket is created, described, and refused a second time', async () => {
    await storage('buckets', 'create', bucket, '--location=europe-west1');
    expect(await judged().told(['storage', 'buckets', 'describe', bucket])).toMatchObject({
      name: 'judged-bucket',
      location: 'EUROPE-WEST1',
    });
    expect(await storage('buckets', 'list', '--format=value(name)')).toBe('judged-bucket');
    expect(await refused('buckets', 'create', bucket)).toMatch(/409.*you already own it/);
  });

  test('files and folders go up and come back, large ones in pieces', async () => {
    await judged().write('up/a.txt', 'hello\n');
    await judged().write('up/sub/large.txt', 'x'.repeat(20 * 1024 * 1024));
    await storage('cp', '-r', 'up', bucket);
    expect(await names('-r', `${bucket}/**`)).toEqual([`${bucket}/up/a.txt`, `${bucket}/up/sub/large.txt`]);
    expect(await names(`${bucket}/up/`)).toEqual([`${bucket}/up/a.txt`, `${bucket}/up/sub/`]);
    expect(await storage('ls', '-l', `${bucket}/up/a.txt`)).toMatch(
      /^\s+6 .*a\.txt\nTOTAL: 1 objects, 6 bytes/,
    );
    await storage('cp', `${bucket}/up/sub/large.txt`, 'back.txt');
    const back = await readFile(path.join(judged().dir, 'back.txt'), 'utf8');
    expect(back).toBe('x'.repeat(20 * 1024 * 1024));
  });

  test('an object is read, copied, moved, composed and described', async () => {
    expect(await storage('cat', `${bucket}/up/a.txt`)).toBe('hello');
    expect(await storage('cat', '-r', '1-3', `${bucket}/up/a.txt`)).toBe('ell');
    await storage('cp', `${bucket}/up/a.txt`, `${bucket}/copy.txt`);
    await storage('mv', `${bucket}/copy.txt`, `${bucket}/moved.txt`);
    await storage('objects', 'compose', `${bucket}/up/a.txt`, `${bucket}/moved.txt`, `${bucket}/two.txt`);
    expect(await storage('cat', `${bucket}/two.txt`)).toBe('hello\nhello');
    await storage('objects', 'update', `${bucket}/two.txt`, '--content-type=text/x', '--custom-metadata=k=v');
    expect(await judged().told(['storage', 'objects', 'describe', `${bucket}/two.txt`])).toMatchObject({
      ...{ size: 12, content_type: 'text/x', custom_fields: { k: 'v' }, metageneration: 2 },
    });
    expect(await names(bucket)).toEqual([`${bucket}/moved.txt`, `${bucket}/two.txt`, `${bucket}/up/`]);
  });

  test('preconditions hold, and what is not there or not supported is said', async () => {
    expect(await refused('cp', '--if-generation-match=0', 'up/a.txt', `${bucket}/two.txt`)).toContain('412');
    expect(await refused('cat', `${bucket}/nothing`)).toContain('matched no objects');
    expect(await refused('ls', 'gs://no-such-bucket')).toContain('404');
    expect(await refused('buckets', 'update', bucket, '--versioning')).toContain('does not implement PATCH');
  });

  test('objects, and buckets with all that is in them, are removed', async () => {
    await storage('rm', `${bucket}/moved.txt`);
    await storage('rm', '-r', `${bucket}/up`);
    expect(await names(bucket)).toEqual([`${bucket}/two.txt`]);
    expect(await refused('buckets', 'delete', bucket)).toContain('not empty');
    await storage('rm', '-r', bucket);
    expect(await judged().told(['storage', 'buckets', 'list'])).toEqual([]);
  });
});
