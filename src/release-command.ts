import * as Flags from '@oclif/core/flags';
import type { RunbookDeps } from './release/runbook.ts';
import type { ReleaseState } from './release/state.ts';
import { SluiceCommand } from './terminal/base-command.ts';
import { createEventWriter } from './terminal/ndjson.ts';
import { createReleaseView } from './terminal/show-release.ts';
import { colourTheme } from './terminal/theme.ts';
import {
  identifyAccount,
  identifyActor,
  openWorkbench,
  type Workbench,
  type WorkbenchOptions,
} from './workbench.ts';

export const releaseFlags = {
  events: Flags.boolean({ description: 'events as NDJSON on stdout, as they happen', exclusive: ['json'] }),
  timings: Flags.boolean({ description: "tell how much of the time was Sluice's own" }),
};

/** Whose credentials they are is worth knowing, and no release waits long for it. */
const accountWithinMs = 300;

/** A command that conducts a runbook: its events are shown while it runs, then its summary, document and exit code. */
export abstract class ReleaseCommand extends SluiceCommand {
  protected override readonly restores: boolean = true;

  protected async conduct(
    flags: { events: boolean; timings: boolean },
    options: Omit<WorkbenchOptions, 'signal'>,
    run: (bench: Workbench, deps: RunbookDeps) => Promise<ReleaseState>,
  ): Promise<unknown> {
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
    try {
      const state = await run(bench, {
        ...bench,
        release: bench.ledger.newId(options.environment),
        actor: { ...actor, account: await account },
        version: this.config.version,
        listeners: [view.event, ...(flags.events ? [createEventWriter(process.stdout)] : [])],
        signal: this.signal,
        now: Date.now,
        track: (promise) => bench.waiting.track(promise),
        meanwhile: () => void loadReport(),
      });
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
    import('./report/json.ts'),
    import('./report/summary.ts'),
  ]);
  return { releaseDocument, summaryLines };
}
