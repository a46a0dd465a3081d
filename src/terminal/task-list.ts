import {
  DefaultRenderer,
  Listr,
  ListrDefaultRendererLogLevels,
  ListrLogger,
  type ListrTask,
  ProcessOutput,
} from 'listr2';
import { signs, type Theme } from './theme.ts';

type RowOutcome = 'done' | 'skipped' | 'failed';

/** One line of the list, declared beforehand and moved by events. */
export type Row = {
  update(title: string, output: readonly string[]): void;
  settle(outcome: RowOutcome, title: string): void;
};

export type TaskList = { rows: Row[]; notices: Row; close(): Promise<void> };

/** A title that shows nothing: the row takes no line. */
export const noLine = ' ';

const frameMs = 50;

/** listr2's list on stderr: at most one frame in `frameMs`, and output lines that keep their columns. */
class StderrRenderer extends DefaultRenderer {
  static override nonTTY = true;
  #frame: NodeJS.Timeout | undefined;

  override update(): void {
    this.#frame ??= setTimeout(() => {
      this.#frame = undefined;
      super.update();
    }, frameMs);
  }

  override end(): void {
    clearTimeout(this.#frame);
    super.end();
  }

  protected override format(message: string, icon: string, level: number): string[] {
    return message.split('\n').flatMap((line, index) => super.format(line, index === 0 ? icon : '', level));
  }
}

type Task = ListrTask<unknown, typeof StderrRenderer>;

/** `ordered`: each row starts when the one before has ended; otherwise all are under way. */
export function openTaskList(
  titles: readonly string[],
  options: { stderr: NodeJS.WriteStream; theme: Theme; ordered: boolean },
): TaskList {
  const rows = titles.map((title) => createRow(title));
  const notices = createRow(noLine);
  const list = new Listr<unknown, typeof StderrRenderer>(
    [...(options.ordered ? [group(rows.map((row) => row.task))] : rows.map((row) => row.task)), notices.task],
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      renderer: StderrRenderer,
      rendererOptions: rendererOptions(options.stderr, options.theme),
    },
  );
  const finished = list.run();
  return {
    rows,
    notices,
    async close() {
      for (const row of [...rows, notices]) row.close();
      await finished;
      // listr2 clears its frame and may drop a last one that comes too fast; what stays on the screen is ours.
      for (const row of rows) {
        const line = row.lastLine(options.theme);
        if (line !== undefined) options.stderr.write(`${line}\n`);
      }
    },
  };
}

/** Rows one after the other, without a line of their own. */
function group(tasks: Task[]): Task {
  return { task: (_, self) => self.newListr(tasks, { concurrent: false, exitOnError: false }) };
}

type OpenRow = Row & {
  task: Task;
  close(): void;
  /** The row as it stays; undefined when it takes no line. */
  lastLine(theme: Theme): string | undefined;
};

function createRow(firstTitle: string): OpenRow {
  const end = Promise.withResolvers<RowOutcome>();
  let title = firstTitle;
  let output: string[] = [];
  let settled: RowOutcome | undefined;
  let show = () => {};

  const row = {
    task: {
      title: firstTitle,
      task: async (_: unknown, self: Parameters<NonNullable<Task['task']>>[1]) => {
        let shownTitle = firstTitle;
        let shownOutput = '';
        show = () => {
          const lines = output.join('\n');
          if (title !== shownTitle) self.title = shownTitle = title;
          if (lines !== shownOutput) self.output = shownOutput = lines;
        };
        show();
        const outcome = await end.promise;
        if (outcome === 'skipped') self.skip();
        // The list never throws it: it only makes the row red.
        if (outcome === 'failed') throw new Error(title);
      },
    },
    update(next: string, lines: readonly string[]) {
      if (settled) return;
      title = next;
      output = [...lines];
      show();
    },
    settle(outcome: RowOutcome, next: string) {
      if (settled) return;
      row.update(next, []);
      settled = outcome;
      end.resolve(outcome);
    },
    /** Nothing came for it: it leaves no line. */
    close() {
      row.settle('skipped', noLine);
    },
    lastLine(theme: Theme) {
      if (settled === undefined || title === noLine) return undefined;
      return `${lastSign(settled, theme)} ${title}`;
    },
  };
  return row;
}

function lastSign(outcome: RowOutcome, theme: Theme): string {
  if (outcome === 'done') return theme.good(signs.done);
  return outcome === 'failed' ? theme.bad(signs.failed) : theme.dim(signs.skipped);
}

function rendererOptions(stderr: NodeJS.WriteStream, theme: Theme) {
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({
    useIcons: true,
    processOutput: new ProcessOutput(stderr, stderr, { leaveEmptyLine: false }),
  });
  const levels = ListrDefaultRendererLogLevels;
  return {
    logger,
    formatOutput: 'truncate' as const,
    clearOutput: true,
    collapseSubtasks: false,
    showErrorMessage: false,
    showSkipMessage: false,
    indentation: 2,
    icon: {
      [levels.PENDING]: theme.accent(signs.waiting),
      [levels.COMPLETED]: theme.good(signs.done),
      [levels.COMPLETED_WITH_FAILED_SUBTASKS]: theme.bad(signs.failed),
      [levels.FAILED]: theme.bad(signs.failed),
      [levels.SKIPPED_WITH_COLLAPSE]: theme.dim(signs.skipped),
      [levels.WAITING]: theme.dim(signs.waiting),
      [levels.OUTPUT]: '',
    },
    color: {
      [levels.PENDING]: (text = '') => theme.accent(text),
      [levels.FAILED]: (text = '') => text,
      [levels.COMPLETED]: (text = '') => text,
      [levels.SKIPPED_WITH_COLLAPSE]: (text = '') => text,
      [levels.WAITING]: (text = '') => text,
    },
  };
}
