import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { releaseDocumentSchema } from '../../src/report/json.ts';
import { answering, type Ended, makePlace, tinyService, withService } from './kit.ts';

const place = await makePlace(tinyService(answering()));
const { sluice } = place;
const local = ['staging', '--local'];
const git = (...args: string[]) => execa('git', args, { cwd: place.dir });

const checklist = [
  { id: 'root', kind: 'http', path: '/', expect: { json: { revision: null } }, attempts: 1, required: false },
  { id: 'up', kind: 'http', path: '/', successes: 2 },
  { id: 'french', kind: 'manual', question: 'Does it answer in French?' },
];

const documentOf = ({ stdout }: Ended) => releaseDocumentSchema.parse(JSON.parse(stdout));

beforeAll(async () => {
  await place.configure((config) => withService(config, { checklist }));
  await git('init', '-q');
  await git('config', 'user.email', 'ada@example.com');
  const { exitCode, stdout } = await sluice(['deploy', ...local]);
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('✔ tiny is deployed to staging')]);
  expect(stdout).toContain('→ sluice sign staging french --local --note "…"');
});

describe('sluice check', () => {
  test('ends with 16 while a person is waited for, and says how to answer', async () => {
    const text = await sluice(['check', ...local]);
    expect(text.exitCode).toBe(16);
    expect(text.stdout).toMatch(/^\? tiny waits for a person: the other checks have passed$/m);
    expect(text.stdout).toMatch(/^ +✔ up +post +.* answered 200 as expected, 2 times in a row$/m);
    expect(text.stdout).toMatch(
      /^ {13}! root +post +.* advisory, failed: GET \/: expected revision to be null/m,
    );
    expect(text.stdout).toMatch(/verdict pending: 2 of 3 conditions met, 1 advisory check not passed/);
    expect(text.stdout).toMatch(/^ {4}→ sluice sign staging french --local --note "…"$/m);
    expect(text.stderr).toMatch(/checklist .* 1 of 3 passed, root failed \(advisory\), french pending/);
  });

  test('as a document', async () => {
    const json = await sluice(['check', ...local, '--json']);
    expect(json.exitCode).toBe(16);
    const { release, services } = documentOf(json);
    expect(release).toMatchObject({ outcome: 'succeeded', exitCode: 16, verdict: { decision: 'pending' } });
    const french = services[0]?.checks.find(({ id }) => id === 'french');
    expect(french).toMatchObject({
      status: 'pending',
      next: 'sluice sign staging french --local --note "…"',
    });
    expect(services[0]).toMatchObject({ digest: expect.stringMatching(/^sha256:/), diagnosis: null });
  });

  test('--only tells nothing of the others', async () => {
    const { exitCode, stdout } = await sluice(['check', ...local, '--only', 'up']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('up was run: this tells nothing of the other checks');
  });

  test('a check that is not there is no success', async () => {
    const { exitCode, stderr, stdout } = await sluice(['check', ...local, '--only', 'upp']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/There is no check "upp"[\s\S]*→ sluice check staging --local --only up$/m);
  });
});

describe('sluice sign', () => {
  test('refuses what no person answers', async () => {
    const unknown = await sluice(['sign', ...local, 'frnch', '--note', 'x']);
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Did you mean french?') });
  });

  test('records who answered, for which revision, and the next check passes', async () => {
    const no = await sluice(['sign', ...local, 'french', '--fail', '--note', 'in English', '--json']);
    const signed = z.object({
      version: z.literal(1),
      signature: z.object({
        outcome: z.string(),
        by: z.object({ git: z.string(), account: z.string() }),
        revision: z.string(),
        digest: z.string(),
      }),
      open: z.array(z.unknown()),
    });
    const { signature, open } = signed.parse(JSON.parse(no.stdout));
    expect(signature).toMatchObject({ outcome: 'failed', by: { git: 'ada@example.com' } });
    expect(open).toEqual([]);
    expect(await sluice(['check', ...local])).toMatchObject({ exitCode: 13 });

    const yes = await sluice(['sign', ...local, 'french', '--note', '\x1b[31mthree questions']);
    expect(yes).toMatchObject({ exitCode: 0, stderr: '' });
    expect(yes.stdout).toMatch(/^✔ french is signed as passed: Does it answer in French\?$/m);
    expect(yes.stdout).toMatch(/^ +by +ada@example.com/m);
    expect(yes.stdout).toMatch(new RegExp(`revision +${signature.revision}`));
    expect(await sluice(['check', ...local])).toMatchObject({ exitCode: 0 });
    const again = await sluice(['deploy', ...local]);
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toMatch(/✔ french +post .* yes, says ada@example.com/);
  });
});
