import { beforeAll, describe, expect, test } from 'vitest';
import { recordedEventSchema } from '../../src/release/event-schema.ts';
import {
  answering,
  cloudPid,
  type Ended,
  endOf,
  ledgerOf,
  makePlace,
  tinyService,
  whoServes,
} from './kit.ts';

const place = await makePlace(tinyService(answering(), { quiet: '1s' }));
const { sluice } = place;
const local = ['staging', '--local'];
let edits = 0;

type Seen = { type: string; stage?: string; purpose?: string };

/** Deploys an edit, and acts at the first event that `moment` names. */
async function disturb(
  moment: (event: Seen) => boolean,
  act: (pid: number) => unknown,
  more: string[] = [],
): Promise<Ended> {
  await place.write('server.js', answering(`console.log('edit ${++edits}');`));
  const child = place.start(['deploy', ...local, '--events', ...more]);
  let rest = '';
  let acted = false;
  child.stdout.on('data', async (data) => {
    const lines = `${rest}${data}`.split('\n');
    rest = lines.pop() ?? '';
    const hit = lines.some((line) => moment(JSON.parse(line).event));
    if (!hit || acted) return;
    acted = true;
    await act(child.pid ?? 0);
  });
  const ended = endOf(await child);
  expect(acted, 'the moment came').toBe(true);
  return ended;
}

const finishedOf = ({ stdout }: Ended) => {
  const last = recordedEventSchema.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''));
  return last.event.type === 'release.finished' ? last.event : undefined;
};

const stageStarts = (stage: string) => (event: Seen) =>
  event.type === 'stage.started' && event.stage === stage;
const interrupt = (signal: NodeJS.Signals) => (pid: number) => process.kill(pid, signal);

/** Nothing is lost from the ledger: every line reads, and the newest release ends as the process did. */
async function expectEnd(exitCode: number, outcome: string): Promise<void> {
  const newest = (await ledgerOf(place)).at(-1);
  expect(newest?.state.finished).toMatchObject({ exitCode, outcome });
}

describe('beside a revision that serves', () => {
  let serving: string | undefined;

  beforeAll(async () => {
    expect((await sluice(['deploy', ...local])).exitCode).toBe(0);
    serving = (await whoServes(place, '/'))?.answered;
  });

  test.each(['observe', 'build', 'candidate', 'startup', 'checks', 'traffic', 'checklist'])(
    'Ctrl-C in %s: 130, and the former revision serves',
    async (stage) => {
      const ended = await disturb(stageStarts(stage), interrupt('SIGINT'));
      expect(ended.exitCode).toBe(130);
      expect(finishedOf(ended)).toMatchObject({ outcome: 'interrupted', exitCode: 130 });
      await expectEnd(130, 'interrupted');
      expect(await whoServes(place, '/')).toMatchObject({ answered: serving, unfinished: null });
    },
  );

  test('SIGTERM does the same', async () => {
    const ended = await disturb(stageStarts('startup'), interrupt('SIGTERM'));
    expect(ended.exitCode).toBe(130);
    expect(await whoServes(place, '/')).toMatchObject({ answered: serving, unfinished: null });
  });

  test('a person is told what is being done, and what was not', async () => {
    await place.write('server.js', answering(`console.log('edit ${++edits}');`));
    const child = place.start(['deploy', ...local]);
    child.stderr.on('data', (data) => String(data).includes('startup …') && child.kill('SIGINT'));
    const { exitCode, stdout, stderr } = endOf(await child);
    expect(exitCode).toBe(130);
    expect(stderr).toContain('interrupted: restoring … press Ctrl-C again to stop at once');
    expect(stdout).toMatch(/not done +.*the traffic was not moved/);
    expect(stdout).toMatch(new RegExp(`traffic +100 % ${serving} +restored, proven`));
    expect(stdout).toMatch(/exit code 130$/m);
    // Who pressed Ctrl-C needs no diagnosis in Node's words.
    expect(stdout).not.toContain('The operation was aborted');
  });

  test('a second Ctrl-C stops at once with 18 and says what to look at; the next deploy recovers', async () => {
    const cloud = await cloudPid(place);
    const ended = await disturb(stageStarts('startup'), async (pid) => {
      // Nothing is restored while the cloud stands still, however quick Sluice is.
      process.kill(cloud, 'SIGSTOP');
      process.kill(pid, 'SIGINT');
      // Two signals within the same key press are one; repeated until the process has gone.
      const again = setInterval(() => {
        try {
          process.kill(pid, 'SIGINT');
        } catch {
          clearInterval(again);
        }
      }, 410);
    });
    process.kill(cloud, 'SIGCONT');
    expect(ended.exitCode).toBe(18);
    expect(ended.stderr).toContain('✖ stopped at once: the outcome is unknown');
    expect(ended.stderr).toMatch(/→ sluice status/);
    expect((await whoServes(place, '/'))?.answered).toBe(serving);
    await recovers();
  });

  test('Ctrl-C in plan ends with 130 and changes nothing', async () => {
    const child = place.start(['plan', ...local]);
    setTimeout(() => child.kill('SIGINT'), 250);
    const { exitCode, signal } = await child;
    // Before Sluice's own handler is there the signal ends the process, which a shell calls 130 too; after the end it is 0.
    expect([0, 130, 'SIGINT']).toContain(exitCode ?? signal);
    expect((await whoServes(place, '/'))?.unfinished).toBeNull();
  });

  async function recovers(): Promise<void> {
    const next = await sluice(['deploy', ...local]);
    expect({ exitCode: next.exitCode, stderr: next.exitCode === 0 ? '' : next.stderr }).toEqual({
      exitCode: 0,
      stderr: '',
    });
    const now = await whoServes(place, '/');
    expect(now).toMatchObject({ answered: now?.revision, unfinished: null });
    serving = now?.answered;
  }

  test.each<[string, (event: Seen) => boolean, number[]]>([
    ['during the build', (event) => event.type === 'build.started', [11, 18]],
    ['during the startup', stageStarts('startup'), [18]],
    ['after the traffic', (event) => event.type === 'traffic.observed' && event.purpose === 'migrate', [18]],
  ])(
    'the local cloud is killed %s: it says so, and the next deploy recovers',
    async (_when, moment, codes) => {
      const cloud = await cloudPid(place);
      const ended = await disturb(moment, () => process.kill(cloud, 'SIGKILL'));
      expect(codes).toContain(ended.exitCode);
      await expectEnd(ended.exitCode ?? -1, ended.exitCode === 18 ? 'unknown' : 'failed');
      const told = (await ledgerOf(place)).at(-1)?.state.services.get('tiny')?.finished?.diagnosis;
      expect(`${told?.cause}`).not.toBe('');
      expect(told?.next.length).toBeGreaterThan(0);
      await recovers();
    },
  );
});
