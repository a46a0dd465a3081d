import { appendFile, cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  answering,
  type Child,
  type Ended,
  endOf,
  makePlace,
  type Place,
  tinyService,
  whoServes,
} from './kit.ts';

const local = ['staging', '--local'];
let edits = 0;

const withLedger = (files: Record<string, string>, ledger: string) => ({
  ...files,
  'sluice.yaml': `ledger: ${ledger}\n${files['sluice.yaml']}`,
});

/** One local cloud and one bucket, two checkouts: as of two machines of a team. */
const mine = await makePlace(withLedger(tinyService(answering()), 'gs://team-ledger/tiny'));
const theirs = join(mine.dir, '../checkout');
await cp(mine.dir, theirs, { recursive: true });

const edit = (place: Place) => place.write('server.js', answering(`console.log('edit ${++edits}');`));

/** Starts the deploy of an edit; resolves when the stage has begun. */
async function deployUpTo(place: Place, stage: string): Promise<{ child: Child; release: string }> {
  await edit(place);
  const child = place.start(['deploy', ...local, '--events']);
  const reached = Promise.withResolvers<string>();
  let rest = '';
  child.stdout.on('data', (data) => {
    const lines = `${rest}${data}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { release, event } = JSON.parse(line);
      if (event.type === 'stage.started' && event.stage === stage) reached.resolve(release);
    }
  });
  child.finally(() => reached.reject(new Error(`${stage} was never begun`))).catch(() => undefined);
  return { child, release: await reached.promise };
}

async function kill(child: Child): Promise<void> {
  child.kill('SIGKILL');
  await child;
}

const history = z.object({
  releases: z.array(
    z.object({
      release: z.string(),
      outcome: z.string(),
      serving: z.boolean(),
      evidence: z.string(),
      changes: z.array(z.string()),
    }),
  ),
});

const historyOf = async (place: Place, cwd = place.dir) => {
  const { stdout } = await place.sluice(['history', ...local, '--json'], { cwd });
  return history.parse(JSON.parse(stdout)).releases;
};

const failed = ({ exitCode, stdout, stderr }: Ended, code: number) => {
  expect({ exitCode, ...(exitCode === code ? {} : { stdout, stderr }) }).toEqual({ exitCode: code });
};

describe('a ledger in a bucket', () => {
  beforeAll(async () => {
    failed(await mine.sluice(['deploy', ...local]), 0);
  });

  test('a second deploy from another checkout exits 17 and names the holder, since when and why', async () => {
    const { child, release } = await deployUpTo(mine, 'startup');
    // It holds the lock as long as the others look.
    child.kill('SIGSTOP');
    const [second, status] = await Promise.all([
      mine.sluice(['deploy', ...local], { cwd: theirs }),
      mine.sluice(['status', ...local], { cwd: theirs }),
    ]);
    child.kill('SIGCONT');
    failed(second, 17);
    expect(second.stderr).toMatch(/tiny is locked by \S+ since 20\S+Z: sluice deploy staging --local/);
    expect(second.stderr).toContain(`release ${release} runs on`);
    expect(status.stdout).toMatch(/is at work since 20\S+: sluice deploy staging --local/);
    failed(endOf(await child), 0);
  });

  test('a deploy that is killed is seen, and gone on with, from another checkout', async () => {
    const { child, release } = await deployUpTo(mine, 'checks');
    await kill(child);
    const seen = await mine.sluice(['status', ...local], { cwd: theirs });
    expect(seen.stdout).toContain(`release ${release} has not finished`);
    expect(seen.stdout).toContain(`→ sluice resume ${release} --local`);
    expect((await historyOf(mine, theirs))[0]).toMatchObject({ release, outcome: 'unfinished' });

    const resumed = await mine.sluice(['resume', release, '--local'], { cwd: theirs });
    failed(resumed, 0);
    expect(resumed.stdout).toContain('tiny is deployed to staging');
    const now = await whoServes(mine, '/');
    expect(now).toMatchObject({ answered: now?.revision, unfinished: null });
    expect((await historyOf(mine))[0]).toMatchObject({ release, outcome: 'deployed', serving: true });
    const again = await mine.sluice(['resume', release, '--local']);
    failed(again, 0);
    expect(again.stderr).toContain(`release ${release} has ended already: nothing was done`);
  });

  test('is copied to a folder and back; what was damaged there is found, and never copied over', async () => {
    const copy = (...places: string[]) => mine.sluice(['ledger', 'copy', ...places, '--local']);
    const there = await copy('gs://team-ledger/tiny', 'records');
    failed(there, 0);
    expect(there.stdout).toMatch(/^✔ \d+ objects copied, 0 were there already/);
    expect((await copy('records', 'gs://other-ledger')).stdout).toMatch(/^✔ \d+ objects copied, 0 were/);
    const names = await readdir(join(mine.dir, 'records'));
    expect(names).not.toContain('locks');

    const [release = ''] = await readdir(join(mine.dir, 'records/releases'));
    const segment = join(mine.dir, 'records/releases', release, '000001.ndjson');
    await mine.write(
      `records/releases/${release}/000001.ndjson`,
      (await readFile(segment, 'utf8')).replace('"dirty":', '"dirty" :'),
    );
    const differs = await copy('records', 'gs://other-ledger');
    failed(differs, 17);
    expect(differs.stdout).toContain(`gs://other-ledger/releases/${release}/000001.ndjson`);
  });

  test('that cannot be is a usage error with its place', async () => {
    const usage: [string, string][] = [
      ['s3://x/y', 'is no ledger'],
      ['./nowhere', 'There is no folder'],
      ['gs://other-ledger/', 'are the same ledger'],
    ];
    const copy = (from: string) => mine.sluice(['ledger', 'copy', from, 'gs://other-ledger', '--local']);
    const ended = await Promise.all(usage.map(([from]) => copy(from)));
    for (const [index, [, words]] of usage.entries()) {
      expect(ended[index]).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(words) });
    }
  });
});

describe('a ledger in a folder', () => {
  test('a deploy that is killed while the traffic moves is gone on with; damage by hand is told everywhere', async () => {
    const place = await makePlace(tinyService(answering(), { quiet: '200ms' }));
    failed(await place.sluice(['deploy', ...local]), 0);
    const { child, release } = await deployUpTo(place, 'checklist');
    await kill(child);
    const resumed = await place.sluice(['resume', release, '--local']);
    failed(resumed, 0);
    expect(resumed.stderr).toMatch(/observe .*has 100 % of the traffic/);

    const record = join(place.dir, '.sluice/ledger/releases', release);
    const [first = ''] = await readdir(record);
    await appendFile(join(record, first), '{"v":1,');
    const [verified, status] = await Promise.all([
      place.sluice(['ledger', 'verify']),
      place.sluice(['status', ...local]),
    ]);
    failed(verified, 17);
    expect(verified.stdout).toContain(`${release} has been damaged`);
    expect(status.stdout).toContain(`the record of ${release} has been damaged`);
    // History needs no cloud.
    await place.sluice(['local', 'stop']);
    expect((await place.sluice(['history', ...local])).stdout).toContain('✖ the record has been damaged');
  });
});
