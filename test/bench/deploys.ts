import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Claim, median } from './claim.ts';
import { sluice, wallOf } from './process.ts';

const sample = fileURLToPath(new URL('../../templates/chat', import.meta.url));

/** Deploys of the sample on a local cloud of their own: Sluice's own time, and how fast bad news is acted on. */
export async function benchDeploys(): Promise<Claim[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const home = join(folder, 'home');
  const app = join(folder, 'chat');
  await cp(sample, app, { recursive: true });
  try {
    expectCode(sluice(app, home, ['deploy', 'staging', '--local']), 0);
    return [await ownTime(app, home), reactionTime(app, home)];
  } finally {
    sluice(app, home, ['local', 'stop']);
    await rm(folder, { recursive: true, force: true });
  }
}

const rounds = 5;

/** wall − waiting, against an empty Node process measured in the same minute. */
async function ownTime(app: string, home: string): Promise<Claim> {
  const ratios: number[] = [];
  const detail: string[] = [];
  for (let round = 0; round < rounds; round++) {
    await appendFile(join(app, 'src/pages.js'), `\n// round ${round}\n`);
    // On both sides of the deploy: a machine that is busy with something else is busy for both.
    const bareWalls = () => Array.from({ length: 5 }, () => wallOf(['-e', '0']));
    const before = bareWalls();
    const deploy = sluice(app, home, ['deploy', 'staging', '--local', '--timings']);
    expectCode(deploy, 0);
    const bare = median([...before, ...bareWalls()]);
    const line = /^wall .*$/m.exec(deploy.stderr)?.[0] ?? '';
    const waited = Number(/waiting (\d+) ms/.exec(line)?.[1]);
    const ratio = (deploy.wallMs - waited) / bare;
    ratios.push(ratio);
    detail.push(`${line}; node -e 0 ${Math.round(bare)} ms; ${ratio.toFixed(1)} ×`);
  }
  const value = median(ratios);
  return {
    name: "Sluice's own time in a deploy",
    value,
    unit: '× node -e 0',
    target: '≤ 12',
    met: value <= 12,
    detail,
  };
}

type Seen = {
  at: string;
  event: { type: string; stage?: string; finding?: { severity: string; lastSeen: string } };
};

/** From the log line that ends a start (its own timestamp, the same clock) to the first step of the restore. */
function reactionTime(app: string, home: string): Claim {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const failed = sluice(app, home, [
      'deploy',
      'staging',
      '--local',
      '--events',
      '--env',
      'CHAT_FAULT=exit-after-bind',
    ]);
    expectCode(failed, 12);
    const events = failed.stdout.split('\n').flatMap((line): Seen[] => (line ? [JSON.parse(line)] : []));
    const fatal = events.find(
      ({ event }) => event.type === 'startup.finding' && event.finding?.severity === 'fatal',
    );
    const restore = events.find(({ event }) => event.type === 'stage.started' && event.stage === 'restore');
    if (!fatal?.event.finding || !restore) throw new Error('no fatal line or no restore in the events');
    times.push(Date.parse(restore.at) - Date.parse(fatal.event.finding.lastSeen));
  }
  const value = median(times);
  return {
    name: 'from a fatal log line to the next action',
    value,
    unit: 'ms',
    target: '≤ 100',
    met: value <= 100,
    detail: [`${times.join(', ')} ms`],
  };
}

function expectCode(finished: { status: number | null; stdout: string; stderr: string }, code: number): void {
  if (finished.status === code) return;
  throw new Error(`exit code ${finished.status} instead of ${code}\n${finished.stderr}\n${finished.stdout}`);
}
