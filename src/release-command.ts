import * as Flags from '@oclif/core/flags';
import { openGit } from './git.ts';
import { e2eSecrets } from './redact.ts';
import type { RunbookDeps } from './release/runbook.ts';
import type { ReleaseState } from './release/state.ts';
import { SluiceCommand } from './terminal/base-command.ts';
import { describeFailure } from './terminal/failure.ts';
import { createEventWriter } from './terminal/ndjson.ts';
import { failureLines } from './terminal/show-failure.ts';
import { createReleaseView } from './terminal/show-release.ts';
import { colourTheme } from './terminal/theme.ts';
import {
  identifyAccount,
  identifyActor,
  openWorkbench,
  sourcesOf,
  type Workbench,
  type WorkbenchOptions,
} from './workbench.ts';

export const releaseFlags = {
  events: Flags.boolean({ description: 'events as NDJSON on stdout, as they happen', exclusive: ['json'] }),
  github: Flags.boolean({
    description: 'in a GitHub workflow: job summary, annotations, outputs, masked values',
    helpGroup: 'GITHUB',
  }),
  timings: Flags.boolean({ description: "tell how much of the time was Sluice's own" }),
};

/** Whose credentials they are is worth knowing, and no release waits long for it. */
const accountWithinMs = 300;

type ReleaseFlags = { events: boolean; timings: boolean; github: boolean };
type Options = Omit<WorkbenchOptions, 'signal'>;
type Conduct = (bench: Workbench, deps: RunbookDeps) => Promise<ReleaseState>;

/** A command that conducts a runbook: its events are shown while it runs, then its summary, document and exit code. */
export abstract class ReleaseCommand extends SluiceCommand {
  protected override readonly restores: boolean = true;

  protected async conduct(flags: ReleaseFlags, options: Options, run: Conduct): Promise<unknown> {
    return this.document(await this.release(flags, options, run));
  }

  protected async document(state: ReleaseState): Promise<unknown> {
    return (await loadReport()).releaseDocument(state);
  }

  /** `--watch`: one release after the other, until one is ready. */
  protected async watching(options: Options, deploy: () => Promise<ReleaseState>): Promise<ReleaseState> {
    const [{ deployUntilReady }, { watchSource }] = await Promise.all([
      import('./deploy-loop.ts'),
      import('./watch-source.ts'),
    ]);
    const watch = await watchSource(await sourcesOf(options));
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    const theme = this.theme(process.stderr);
    try {
      return await deployUntilReady({
        deploy,
        watch,
        say,
        showFailure: (error) => failureLines(describeFailure(error), theme).forEach(say),
        theme,
        signal: this.signal,
      });
    } finally {
      await watch.close();
    }
  }

  protected async release(flags: ReleaseFlags, options: Options, run: Conduct): Promise<ReleaseState> {
    // Counted from the start of the process.
    const loadedAt = performance.now();
    const [bench, actor] = await Promise.all([
      openWorkbench({ ...options, signal: this.signal }),
      identifyActor(options.dir),
    ]);
    const account = identifyAccount(bench.cloud, accountWithinMs);
    const view = await createReleaseView({
      stderr: process.stderr,
      tty: process.stderr.isTTY,
      quiet: this.quiet || flags.events,
      color: this.theme(process.stderr) === colourTheme,
    });
    this.tell = (line) => view.notice(line);
    const actions = flags.github ? await openActions(bench) : undefined;
    try {
      const state = await run(bench, {
        ...bench,
        release: bench.ledger.newId(options.environment),
        actor: { ...actor, account: await account },
        git: openGit(options.dir),
        version: this.config.version,
        listeners: [view.event, ...(flags.events ? [createEventWriter(process.stdout)] : [])],
        signal: this.signal,
        now: Date.now,
        track: (promise) => bench.waiting.track(promise),
        meanwhile: () => void loadReport(),
      });
      await view.close();
      this.endWith(state.finished?.exitCode ?? 0);
      const { summaryLines } = await loadReport();
      if (!flags.events) this.print(summaryLines(state, this.theme(process.stdout)));
      if (flags.timings) this.sayTimings(loadedAt, bench.waiting.milliseconds());
      await actions?.tell(state);
      return state;
    } finally {
      await view.close();
      actions?.end();
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

async function openActions({ targets, ledger }: Workbench) {
  const { openGithubActions } = await import('./github-actions.ts');
  const secrets = e2eSecrets(targets);
  return openGithubActions({
    env: process.env,
    write: (text) => process.stderr.write(text),
    secrets,
    ledger,
  });
}

/** How a release is told at its end; no part of it is needed while the release runs. */
async function loadReport() {
  const [{ releaseDocument }, { summaryLines }] = await Promise.all([
    import('./report/json.ts'),
    import('./report/summary.ts'),
  ]);
  return { releaseDocument, summaryLines };
}
