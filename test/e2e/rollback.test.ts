import { expect, test } from 'vitest';
import { z } from 'zod';
import { releaseDocumentSchema } from '../../src/report/json.ts';
import { answering, makePlace, tinyService, withService } from './kit.ts';

const place = await makePlace(tinyService(answering()));
const { sluice } = place;
const local = ['staging', '--local'];

const revisionIn = z.object({ revision: z.string() });

/** The document of a command that conducts a release. */
async function release(...args: string[]) {
  const { exitCode, stdout } = await sluice([...args, '--json']);
  const document = releaseDocumentSchema.parse(JSON.parse(stdout));
  expect(document.release.exitCode).toBe(exitCode);
  return { exitCode, service: document.services[0] };
}

test('deployed, rolled back, held, lifted', { timeout: 120_000 }, async () => {
  const first = await release('deploy', ...local);
  const one = first.service?.revision ?? '';
  await place.configure((config) => withService(config, { env: { VERSION: '2' } }));
  const two = (await release('deploy', ...local)).service?.revision;
  const serving = async () => revisionIn.parse(await (await fetch(first.service?.url ?? '')).json()).revision;
  expect(await serving()).toBe(two);

  const back = await sluice(['rollback', ...local, '--reason', 'checkout answers 500']);
  expect(back.exitCode).toBe(0);
  expect(back.stdout).toContain(`✔ tiny is rolled back to ${one} in staging`);
  expect(back.stdout).toMatch(new RegExp(`traffic +100 % ${one} +proven by 2 answers in a row`));
  expect(back.stdout).toMatch(/reason +checkout answers 500/);
  expect(back.stdout).toContain('→ sluice unpin staging --local');
  expect(await serving()).toBe(one);

  const status = await sluice(['status', ...local]);
  expect(status.stdout.split('\n')[1]).toMatch(/! held by .* since .*: checkout answers 500/);
  const plan = await sluice(['plan', ...local, '--exit-code']);
  expect(plan.exitCode).toBe(10);
  expect(plan.stdout).toMatch(/held on .*: checkout answers 500/);
  const refused = await sluice(['deploy', ...local]);
  expect(refused.exitCode).toBe(10);
  expect(refused.stdout).toContain('→ sluice unpin staging --local');

  const lifted = await release('unpin', ...local);
  expect(lifted).toMatchObject({ exitCode: 0, service: { hold: { state: 'lifted' } } });
  expect(await serving()).toBe(one);
  const unclear = await sluice(['rollback', ...local]);
  expect(unclear.exitCode).toBe(2);
  expect(unclear.stdout).toContain(`→ sluice rollback staging --local --to ${two}   # release `);

  const now = await release('rollback', ...local, '--to', two ?? '', '--now');
  expect(now).toMatchObject({
    exitCode: 0,
    service: {
      revision: two,
      rollback: { to: two, reason: 'no reason was given' },
      hold: { state: 'placed' },
    },
  });
  expect(now.service?.rollback?.skipped).not.toEqual([]);
  expect(await serving()).toBe(two);
});
