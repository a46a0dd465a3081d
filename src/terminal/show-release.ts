import type { Stamped } from '../release/events.ts';
import { createPlainView } from './plain.ts';
import { colourTheme, plainTheme, type Theme } from './theme.ts';

/** How a person watches a release: fed by its events, on stderr, so that stdout stays free for data. */
export type ReleaseView = {
  event(stamped: Stamped): void;
  /** Words that belong to no event, e.g. that an interruption is being handled. */
  notice(text: string): void;
  close(): Promise<void>;
};

/** Quiet shows nothing; a TTY gets the task list, anything else plain lines. */
export async function createReleaseView(options: {
  stderr: NodeJS.WriteStream;
  tty: boolean;
  quiet: boolean;
  color: boolean;
}): Promise<ReleaseView> {
  const { stderr } = options;
  const theme = options.color ? colourTheme : plainTheme;
  if (options.quiet) return { event() {}, notice() {}, async close() {} };
  if (!options.tty) return plainView(stderr, theme);
  const { createTaskListView } = await import('./task-list-view.ts');
  return createTaskListView(stderr, theme);
}

function plainView(stderr: NodeJS.WritableStream, theme: Theme): ReleaseView {
  const plain = createPlainView(theme);
  return {
    event(stamped) {
      for (const line of plain.lines(stamped)) stderr.write(`${line}\n`);
    },
    notice(text) {
      stderr.write(`${text}\n`);
    },
    async close() {},
  };
}
