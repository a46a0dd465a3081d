import * as Flags from '@oclif/core/flags';
import { parseAssignments } from '../src/config/assignments.ts';
import { deploy } from '../src/release/deploy.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';
import { cloudFlags, configFlags, deployFlags, environmentArg, typedDeploy } from '../src/terminal/flags.ts';
import { createEventWriter } from '../src/terminal/ndjson.ts';
import { createReleaseView } from '../src/terminal/show-release.ts';
import { colourTheme } from '../src/terminal/theme.ts';
import { identifyActor, openWorkbench } from '../src/workbench.ts';

export default class Deploy extends SluiceCommand {
  static override summary = 'take a service from source to a verified revision that serves';
  static override description =
    'Builds the image, makes the new revision as a tagged 0 % candidate beside what serves, follows its startup, runs the checks on it, moves the traffic, proves who answers, and runs the post-deploy checklist. Whatever fails after the first write, the former traffic is restored and proven.';
  static override examples = [
    '<%= config.bin %> deploy staging',
    '<%= config.bin %> deploy staging --local --dir templates/chat',
    '<%= config.bin %> deploy staging --env LOG_LEVEL=debug',
    '<%= config.bin %> deploy staging --json > release.json',
  ];
  static override args = environmentArg;
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    ...deployFlags,
    events: Flags.boolean({ description: 'events as NDJSON on stdout, as they happen', exclusive: ['json'] }),
    timings: Flags.boolean({ description: "tell how much of the time was Sluice's own" }),
  };

  protected override readonly restores = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Deploy);
    // Counted from the start of the process.
    const loadedAt = performance.now();
    const [bench, actor] = await Promise.all([
      openWorkbench({
        ...flags,
        ...args,
        set: parseAssignments(flags.env ?? []),
        signal: this.signal,
      }),
      identifyActor(flags.dir),
    ]);
    const view = await createReleaseView({
      stderr: process.stderr,
      tty: process.stderr.isTTY,
      quiet: this.quiet || flags.events,
      color: this.theme(process.stderr) === colourTheme,
    });
    this.tell = (line) => view.notice(line);
    try {
      const state = await deploy(
        {
          environment: args.environment,
          targets: bench.targets,
          takeOverTraffic: flags['take-over-traffic'],
          command: typedDeploy(args.environment, flags),
        },
        {
          ...bench,
          release: bench.ledger.newId(args.environment),
          actor,
          version: this.config.version,
          listeners: [view.event, ...(flags.events ? [createEventWriter(process.stdout)] : [])],
          signal: this.signal,
          now: Date.now,
          track: (promise) => bench.waiting.track(promise),
          meanwhile: () => void loadReport(),
        },
      );
      await view.close();
      this.endWith(state.finished?.exitCode ?? 0);
      const { releaseDocument, summaryLines } = await loadReport();
      if (!flags.events) this.print(summaryLines(state, this.theme(process.stdout)));
      if (flags.timings) this.sayTimings(loadedAt, bench.waiting.milliseconds());
      return releaseDocument(state);
    } finally {
      await view.close();
      await bench.close();
    }
  }

  /** `waiting`: for the cloud, for processes and for checks, overlaps counted once. */
  private sayTimings(loadedAt: number, waited: number): void {
    const ms = (value: number): string => `${Math.round(value)} ms`;
    const wall = performance.now();
    const parts = [
      `loading ${ms(loadedAt)}`,
      `waiting ${ms(waited)}`,
      `working ${ms(wall - loadedAt - waited)}`,
    ];
    this.say(`wall ${ms(wall)} = ${parts.join(' + ')}`);
  }
}

/** How a release is told at its end; no part of it is needed while the release runs. */
async function loadReport() {
  const [{ releaseDocument }, { summaryLines }] = await Promise.all([
    import('../src/report/json.ts'),
    import('../src/report/summary.ts'),
  ]);
  return { releaseDocument, summaryLines };
}
