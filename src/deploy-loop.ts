import type { ReleaseState } from './release/state.ts';
import { cycleLines, differences } from './report/cycles.ts';
import type { Theme } from './terminal/theme.ts';
import type { SourceWatch } from './watch-source.ts';

export type Loop = {
  /** One deploy, shown as always. */
  deploy: () => Promise<ReleaseState>;
  watch: SourceWatch;
  say: (line: string) => void;
  /** Shows an error that stopped a cycle before its release began, e.g. a config that does not parse. */
  showFailure: (error: unknown) => void;
  theme: Theme;
  signal: AbortSignal;
};

/** Deploys, waits for a saved change or a commit, deploys again, until the verdict is ready; returns that release. */
export async function deployUntilReady(loop: Loop): Promise<ReleaseState> {
  let before: ReleaseState | undefined;
  for (let cycle = 1; ; cycle += 1) {
    const state = await attempt(loop);
    if (state && before) {
      for (const line of cycleLines(cycle, differences(before, state), loop.theme)) loop.say(line);
    }
    if (state?.finished?.verdict.decision === 'ready' && state.finished.exitCode === 0) return state;
    if (state?.finished?.outcome === 'interrupted') return state;
    before = state ?? before;
    loop.say(`cycle ${cycle} is over; waiting for a saved change or a commit (Ctrl-C ends)`);
    const what = await loop.watch.next(loop.signal);
    loop.say(`${loop.theme.strong(`cycle ${cycle + 1}`)}: ${what} changed`);
  }
}

async function attempt({ deploy, showFailure, signal }: Loop): Promise<ReleaseState | undefined> {
  try {
    return await deploy();
  } catch (error) {
    if (signal.aborted) throw error;
    showFailure(error);
    return undefined;
  }
}
