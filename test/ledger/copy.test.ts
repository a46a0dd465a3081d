import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyLedger } from '../../src/ledger/copy.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { verifyLedger } from '../../src/ledger/verify.ts';
import { type Buckets, folderPlace, openBuckets } from './stores.ts';

let buckets: Buckets;
beforeAll(async () => {
  buckets = await openBuckets();
});
afterAll(() => buckets.close());

const bytes = (text: string) => Buffer.from(text);

test('a ledger goes into a bucket and on into another folder, without locks, as often as one likes', async () => {
  const [folder, bucket, other] = [(await folderPlace())(), buckets.place()(), (await folderPlace())()];
  const by = { now: () => new Date(), random: Math.random };
  const ledger = openLedger(folder, by);
  const id = '20261101T000000-staging-aaaa';
  const recorder = ledger.begin(id);
  for (const seq of [1, 2, 3]) {
    const event = { type: 'stage.started', service: 'chat', stage: 'build' } as const;
    await recorder.append([{ v: 1, release: id, seq, at: '', event }]);
  }
  await ledger.attach(id, 'evidence-chat.intoto.json', bytes('{}'));
  await folder.create('signatures/staging/chat/000001.json', bytes('{}'));
  await folder.create(`approvals/${id}/000001.json`, bytes('{}'));
  await folder.create('locks/demo-europe-west1-chat.json', bytes('{}'));

  expect(await copyLedger(folder, bucket)).toEqual({ copied: 6, there: 0, differ: [] });
  expect(await copyLedger(folder, bucket)).toEqual({ copied: 0, there: 6, differ: [] });
  expect(await copyLedger(bucket, other)).toEqual({ copied: 6, there: 0, differ: [] });
  expect(await other.list('')).toEqual((await folder.list('')).filter((name) => !name.startsWith('locks/')));
  expect(await openLedger(other, by).read(id)).toEqual(await ledger.read(id));
  expect(await verifyLedger(openLedger(bucket, by))).toEqual({
    ...{ releases: 1, intact: 1, notChained: [], damaged: [] },
  });

  const name = `releases/${id}/000002.ndjson`;
  const found = await bucket.read(name);
  await bucket.replace(name, found?.generation ?? '', bytes('{"v":1}\n'));
  expect(await copyLedger(folder, bucket)).toEqual({
    ...{ copied: 0, there: 5 },
    differ: [{ name, from: folder.where(name), to: bucket.where(name) }],
  });
  expect(Buffer.from((await bucket.read(name))?.bytes ?? []).toString()).toBe('{"v":1}\n');
  expect(await verifyLedger(openLedger(bucket, by))).toMatchObject({
    ...{ intact: 0, damaged: [{ release: id, problems: [{ segment: name, line: 1 }] }] },
  });
});
