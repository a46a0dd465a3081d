import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { connectLocal } from '../../src/cloud/connect.ts';
import { planSchema } from '../../src/plan/plan.ts';
import { recordedEventSchema } from '../../src/release/event-schema.ts';
import { foldAll } from '../../src/release/state.ts';
import { type ReleaseDocument, releaseDocument, releaseDocumentSchema } from '../../src/report/json.ts';
import { profileSchema } from '../../src/startup/profile.ts';
import { bin, cloudPort, type Ended, endOf, hurried, makePlace, whoServes, withService } from './kit.ts';

const place = await makePlace();
const { sluice } = place;
const local = ['staging', '--local'];
const phases = ['INIT', 'DEPENDENCIES', 'DATABASE', 'CACHE', 'SERVICES', 'WEBSOCKET', 'FINALIZE'];

const documentOf = ({ stdout }: Ended): ReleaseDocument => releaseDocumentSchema.parse(JSON.parse(stdout));

describe('a person deploys', () => {
  let first: Ended;
  let again: Ended;
  let served: Awaited<ReturnType<typeof whoServes>>;

  beforeAll(async () => {
    await place.configure(hurried);
    first = await sluice(['deploy', ...local]);
    served = await whoServes(place);
    again = await sluice(['deploy', ...local, '--json']);
  });

  test('the first deploy succeeds', () => {
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stdout).toContain('✔ chat is deployed to staging');
    expect(first.stdout).toMatch(/verdict ready: (\d+) of \1 conditions met/);
    for (const phase of phases) expect(first.stdout).toMatch(new RegExp(`✔ ${phase} .*\\d s +\\d+ %`));
    for (const system of ['Database', 'Redis', 'LLM Manager', 'Chat Pipeline', 'Agent Bridge']) {
      expect(first.stdout).toMatch(new RegExp(`✔ ${system} +healthy`));
    }
  });

  test('without a TTY the words are plain lines with a time, and the result is on stdout only', () => {
    const lines = first.stderr.trimEnd().split('\n');
    expect(lines.filter((line) => !/^\d\d:\d\d:\d\d {2}\S?/.test(line))).toEqual([]);
    for (const stage of [
      'observe',
      'preflight',
      'predeploy',
      'build',
      'candidate',
      'startup',
      'checks',
      'traffic',
      'checklist',
    ]) {
      expect(first.stderr).toMatch(new RegExp(`✔ ${stage} `));
    }
    expect(first.stdout).not.toMatch(/^\d\d:\d\d:\d\d/m);
    expect(first.stderr).not.toContain('verdict');
  });

  test('a deploy that goes well has nothing to remark on', () => {
    expect(first.stderr.split('\n').filter((line) => / {2}! /.test(line))).toEqual([]);
  });

  test('the printed URL really answers, with all of the traffic', async () => {
    expect(served).toMatchObject({ answered: served?.revision, unfinished: null });
    expect(served?.actual).toMatchObject([{ percent: 100, revision: served?.revision }]);
    expect(first.stdout).toContain(served?.url);
    const response = await fetch(`${served?.url}/`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
  });

  test('a second deploy without a change builds and writes nothing', async () => {
    expect(again.exitCode).toBe(0);
    const { release, services } = documentOf(again);
    expect(release).toMatchObject({ outcome: 'unchanged', exitCode: 0, rolledBack: false });
    expect(services).toMatchObject([{ name: 'chat', revision: served?.revision, changes: [] }]);
    expect(again.stderr).not.toMatch(/build|candidate/);
    expect((await whoServes(place))?.revision).toBe(served?.revision);
  });

  test('status tells who serves', async () => {
    const { exitCode, stdout, stderr } = await sluice(['status', ...local]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^✔ chat in staging$/m);
    expect(stdout).toMatch(new RegExp(`traffic +100 % +${served?.revision}`));
    expect(stdout).toMatch(/verdict +ready +release \S+/);
  });

  test('startup shows the phases of the revision that serves', async () => {
    const { exitCode, stdout } = await sluice(['startup', ...local, '--json']);
    expect(exitCode).toBe(0);
    const report = z
      .strictObject({ version: z.literal(1), revisions: z.array(profileSchema.strict()) })
      .parse(JSON.parse(stdout));
    expect(report.revisions).toMatchObject([
      { service: 'chat', revision: served?.revision, outcome: 'started', rootCause: null },
    ]);
    expect(report.revisions[0]?.phases.map(({ name, outcome }) => [name, outcome])).toEqual(
      phases.map((name) => [name, 'completed']),
    );
    const text = await sluice(['startup', ...local, '--revision', served?.revision ?? '']);
    for (const phase of phases) expect(text.stdout).toContain(phase);
  });

  test('startup of a revision that never was', async () => {
    const { exitCode, stderr, stdout } = await sluice(['startup', ...local, '--revision', 'chat-none']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^✖ .*chat-none.*\n→ sluice status staging/);
  });
});

describe('plan', () => {
  const plan = (...more: string[]) => sluice(['plan', ...local, '--exit-code', ...more]);

  test('0: there is nothing to do', async () => {
    const { exitCode, stdout } = await plan();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('nothing to do');
  });

  test('3: there are changes, told field by field, and nothing is written', async () => {
    const before = await whoServes(place);
    const text = await plan('--env', 'LOG_LEVEL=debug');
    expect(text.exitCode).toBe(3);
    expect(text.stdout).toMatch(/\+ env\.LOG_LEVEL +debug/);
    const json = await plan('--env', 'LOG_LEVEL=debug', '--json');
    const { plans } = z
      .strictObject({ version: z.literal(1), plans: z.array(planSchema) })
      .parse(JSON.parse(json.stdout));
    expect(plans).toMatchObject([
      { action: 'update', changes: [{ field: 'env.LOG_LEVEL', from: null, to: 'debug' }] },
    ]);
    expect((await plan()).exitCode).toBe(0);
    expect(await whoServes(place)).toEqual(before);
  });

  test('without --exit-code changes end with 0', async () => {
    expect((await sluice(['plan', ...local, '--env', 'A=b'])).exitCode).toBe(0);
  });
});

describe('logs', () => {
  test('text: one entry a line, oldest first', async () => {
    const { exitCode, stdout, stderr } = await sluice(['logs', ...local, '--limit', '50']);
    expect([exitCode, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(50);
    const times = lines.map((line) => line.slice(0, 12));
    expect(times.every((time) => /^\d\d:\d\d:\d\d\.\d{3}$/.test(time))).toBe(true);
    expect(times.toSorted()).toEqual(times);
  });

  test('--json, --severity and --revision choose', async () => {
    const entriesOf = async (...more: string[]) => {
      const { stdout } = await sluice(['logs', ...local, '--json', '--limit', '500', ...more]);
      const entry = z.looseObject({ severity: z.string(), revision: z.string() });
      return z.strictObject({ version: z.literal(1), entries: z.array(entry) }).parse(JSON.parse(stdout))
        .entries;
    };
    const [all, errors, none] = await Promise.all([
      entriesOf(),
      entriesOf('--severity', 'WARNING'),
      entriesOf('--revision', 'chat-none'),
    ]);
    expect(new Set(all.map(({ severity }) => severity))).toContain('INFO');
    expect(errors.map(({ severity }) => severity)).not.toContain('INFO');
    expect(none).toEqual([]);
  });

  test('--follow shows what comes, until Ctrl-C ends it with 130', async () => {
    const child = place.start(['logs', ...local, '--follow', '--limit', '1']);
    const served = await whoServes(place);
    const marker = `/?marker=${Date.now()}`;
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    child.stdout.on('data', (data) => String(data).includes(marker) && resolve());
    const asking = setInterval(() => fetch(`${served?.url}${marker}`).catch(() => undefined), 200);
    await seen;
    clearInterval(asking);
    child.kill('SIGINT');
    expect(endOf(await child)).toMatchObject({ exitCode: 130, stderr: '✖ interrupted' });
  });
});

describe('an edit, deployed for a script', () => {
  let former: Awaited<ReturnType<typeof whoServes>>;
  let json: Ended;

  beforeAll(async () => {
    former = await whoServes(place);
    const page = await readFile(join(place.dir, 'src/pages.js'), 'utf8');
    await place.write('src/pages.js', `${page}\n// edited\n`);
    json = await sluice(['deploy', ...local, '--json']);
  });

  test('the document has the shape that scripts rely on', async () => {
    expect(json.exitCode).toBe(0);
    const document = documentOf(json);
    expect(document.release).toMatchObject({
      outcome: 'succeeded',
      exitCode: 0,
      rolledBack: false,
      verdict: { decision: 'ready' },
    });
    const [service] = document.services;
    expect(Object.keys(service ?? {})).toEqual([
      'name',
      'revision',
      'digest',
      'url',
      'candidateUrl',
      'traffic',
      'startup',
      'checks',
      'changes',
      'rollback',
      'hold',
      'diagnosis',
    ]);
    expect(service).toMatchObject({ name: 'chat', url: former?.url, diagnosis: null });
    expect(service?.changes.map(({ field }) => field)).toEqual(['image']);
    expect(service?.traffic).toEqual([{ revision: service?.revision, percent: 100 }]);
    expect(service?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(service?.checks.every(({ status }) => status === 'passed')).toBe(true);
  });

  test('the new revision was a candidate on a URL of its own, and serves now', async () => {
    const [service] = documentOf(json).services;
    expect(service?.candidateUrl).not.toBe(former?.url);
    expect(service?.revision).not.toBe(former?.revision);
    expect(await whoServes(place)).toMatchObject({
      revision: service?.revision,
      answered: service?.revision,
    });
  });

  test('--json keeps its words on stderr', () => {
    expect(json.stderr).toContain('✔ candidate');
  });
});

describe('--events', () => {
  const anyEvent = recordedEventSchema.extend({ event: z.looseObject({ type: z.string() }) });
  const passing = new Set(['build.log', 'startup.log', 'progress', 'notice']);

  test('NDJSON of stamped events, whose fold is the same as --json and as the ledger', async () => {
    const { exitCode, stdout, stderr } = await sluice([
      'deploy',
      ...local,
      '--events',
      '--env',
      'LOG_LEVEL=debug',
    ]);
    expect([exitCode, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    const events = lines.map((line) => anyEvent.parse(JSON.parse(line)));
    const durable = events
      .filter(({ event }) => !passing.has(event.type))
      .map((event) => recordedEventSchema.parse(event));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => (events[0]?.seq ?? 0) + index));
    const [release] = new Set(events.map((event) => event.release));
    const folded = releaseDocument(foldAll(release ?? '', durable));
    expect(() => releaseDocumentSchema.parse(folded)).not.toThrow();
    expect(folded.release).toMatchObject({ id: release, outcome: 'succeeded', exitCode: 0 });
    const [service] = folded.services;
    expect(service).toMatchObject({ changes: [{ field: 'env.LOG_LEVEL' }], diagnosis: null });
    expect(service?.startup?.phases).toHaveLength(7);
    expect(await whoServes(place)).toMatchObject({ revision: service?.revision });
  });

  test('the one-deploy variable goes with the next plain deploy; --quiet says only the result', async () => {
    const plan = await sluice(['plan', ...local]);
    expect(plan.stdout).toMatch(/- env\.LOG_LEVEL/);
    const { exitCode, stdout, stderr } = await sluice(['deploy', ...local, '--quiet']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('✔ chat is deployed to staging');
    expect((await sluice(['plan', ...local, '--exit-code'])).exitCode).toBe(0);
  });

  test('--events and --json exclude one another', async () => {
    const { exitCode, stderr } = await sluice(['deploy', ...local, '--events', '--json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
  });
});

describe('what stands in the way ends with 10 and leaves what serves alone', () => {
  test('an import of a module that was moved away, before anything is built', async () => {
    const before = await whoServes(place);
    const source = await readFile(join(place.dir, 'src/phases.js'), 'utf8');
    await place.write('src/phases.js', `import { watch } from './services/monitoring.js';\n${source}`);
    const { exitCode, stdout, stderr } = await sluice(['deploy', ...local]);
    const asDocument = await sluice(['deploy', ...local, '--json']);
    await place.write('src/phases.js', source);
    expect(exitCode).toBe(10);
    expect(stdout).toMatch(/✖ chat was not deployed to staging: nothing was built or written/);
    expect(stdout).toContain('src/phases.js:1 imports "./services/monitoring.js": no such file');
    expect(stderr).toMatch(/✖ predeploy .*imports failed/);
    expect(stderr).not.toMatch(/[·✔✖–] build/);
    const [service] = documentOf(asDocument).services;
    expect(service?.checks).toMatchObject([{ id: 'imports', stage: 'predeploy', status: 'failed' }]);
    expect((await whoServes(place))?.answered).toBe(before?.answered);
  });

  test('a secret that does not exist', async () => {
    const before = await whoServes(place);
    const sample = await readFile(join(place.dir, 'sluice.yaml'), 'utf8');
    await place.configure((config) => withService(config, { secrets: { TOKEN: 'chat-token:1' } }));
    const { exitCode, stdout } = await sluice(['deploy', ...local]);
    await place.write('sluice.yaml', sample);
    expect(exitCode).toBe(10);
    expect(stdout).toMatch(/✖ chat was not deployed to staging: nothing was built or written/);
    expect(stdout).toMatch(/The secret chat-token:1, which chat reads as TOKEN, does not exist\./);
    expect(stdout).toMatch(/→ gcloud secrets create chat-token --project=chat-staging --data-file=FILE/);
    expect((await whoServes(place))?.answered).toBe(before?.answered);
  });

  test("somebody else's traffic, until the command is typed that takes it over", async () => {
    const other = await moveTrafficByHand();
    const plan = await sluice(['plan', ...local, '--exit-code']);
    expect(plan.exitCode).toBe(10);
    expect(plan.stdout).toMatch(
      /✖ .*pinned by somebody else.*\n.*\n→ sluice deploy staging --local --take-over-traffic/,
    );
    expect((await sluice(['status', ...local])).stdout).toContain('--take-over-traffic');
    const refused = await sluice(['deploy', ...local]);
    expect(refused.exitCode).toBe(10);
    expect(refused.stdout).toContain('--take-over-traffic');
    expect(await whoServes(place)).toMatchObject({ revision: other, answered: other });
    const taken = await sluice(['deploy', ...local, '--take-over-traffic', '--json']);
    expect(taken.exitCode).toBe(0);
    const [service] = documentOf(taken).services;
    expect(await whoServes(place)).toMatchObject({ answered: service?.revision });
  });

  /** Pins an older revision, as somebody with gcloud would. */
  async function moveTrafficByHand(): Promise<string> {
    const call = { signal: AbortSignal.timeout(20_000) };
    const ref = { project: 'chat-staging', region: 'us-central1', service: 'chat' };
    const cloud = await connectLocal({ port: await cloudPort(place), project: ref.project });
    const live = await cloud.run.readService(ref, call);
    const serving = live?.actualTraffic.find(({ percent }) => percent > 0)?.revision;
    const older = (await cloud.run.listRevisions(ref, 9, call)).find(
      ({ name, ready }) => name !== serving && ready === 'yes',
    );
    if (!live || !older) throw new Error('the earlier tests made no second revision');
    const operation = await cloud.run.updateService(
      live,
      { traffic: [{ revision: older.name, percent: 100 }] },
      call,
    );
    await cloud.run.awaitOperation(operation, call);
    await cloud.close();
    return older.name;
  }
});

describe('colours', () => {
  const esc = String.fromCharCode(27);
  const status = (args: string[], env: Record<string, string>) =>
    place.start(['status', ...local, ...args], { env });

  test.each([
    [[], {}, false],
    [[], { FORCE_COLOR: '1' }, true],
    [['--no-color'], { FORCE_COLOR: '1' }, false],
    [[], { NO_COLOR: '1' }, false],
    [['--json'], { FORCE_COLOR: '1' }, false],
  ])('%j with %j: %s', async (args, env, coloured) => {
    const { stdout, exitCode } = await status(args, env);
    expect(exitCode).toBe(0);
    expect(stdout.includes(esc)).toBe(coloured);
  });
});

const script = await execa('script', ['--version'], { reject: false });

/** As a person sees it: through a pseudo terminal of util-linux. */
describe.skipIf(script.exitCode !== 0 || !script.stdout.includes('util-linux'))(
  'in a terminal (skipped without util-linux `script`)',
  () => {
    const esc = String.fromCharCode(27);
    const inTerminal = async (env: Record<string, string>) => {
      const command = [process.execPath, bin, 'deploy', ...local, '--env', `MARK=${esc}]0;title${esc}[31mred`]
        .map(quoted)
        .join(' ');
      const { stdout, exitCode } = await execa(
        'script',
        ['-qec', `stty cols 100 rows 40; ${command}`, '/dev/null'],
        {
          cwd: place.dir,
          env: {
            SLUICE_HOME: place.home,
            TERM: 'xterm-256color',
            FORCE_COLOR: undefined,
            NO_COLOR: undefined,
            ...env,
          },
          reject: false,
          timeout: 50_000,
        },
      );
      return { stdout, exitCode };
    };

    test('a task list, the phases, one final summary, and no escape of the service', async () => {
      const { stdout, exitCode } = await inTerminal({});
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`${esc}[?25l`);
      for (const row of ['build', 'startup', 'checks', 'traffic']) expect(stdout).toContain(row);
      expect(stdout).toContain('is deployed to staging');
      // Nothing is drawn over the summary.
      expect(stdout.slice(stdout.indexOf('is deployed to staging'))).not.toMatch(cursorUp);
      expect(stdout).not.toContain(`${esc}]0;title`);
    });
  },
);

const cursorUp = new RegExp(`${String.fromCharCode(27)}\\[\\d*A`);

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
