import * as Flags from '@oclif/core/flags';
import { type LogEntry, severities } from '../src/cloud/ports/index.ts';
import { followAfter, readLogs } from '../src/release/read-logs.ts';
import { logLine } from '../src/report/logs.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';
import { cloudFlags, configFlags, environmentArg, serviceFlag } from '../src/terminal/flags.ts';
import { openWorkbench } from '../src/workbench.ts';

export default class Logs extends SluiceCommand {
  static override summary = "show a service's newest log lines, or follow them";
  static override examples = [
    '<%= config.bin %> logs staging',
    '<%= config.bin %> logs staging --revision chat-r1122-0231-k3f9 --severity ERROR',
    '<%= config.bin %> logs staging --follow',
  ];
  static override args = environmentArg;
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    ...serviceFlag,
    revision: Flags.string({ description: 'only this revision', helpValue: 'NAME' }),
    severity: Flags.option({ description: 'this severity and graver', options: severities })(),
    limit: Flags.integer({ description: 'how many lines', default: 100, min: 1, max: 10_000 }),
    follow: Flags.boolean({
      char: 'f',
      description: 'go on with what comes, until Ctrl-C',
      exclusive: ['json'],
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Logs);
    const bench = await openWorkbench({ ...flags, ...args, signal: this.signal });
    const theme = this.theme(process.stdout);
    const show = (entries: LogEntry[]): void => this.print(entries.map((entry) => logLine(entry, theme)));
    try {
      const { targets, cloud } = bench;
      const entries = await readLogs(targets, cloud, flags, this.signal);
      show(entries);
      if (entries.length === 0) this.say('no log lines match');
      if (flags.follow) {
        const notice = (note: string): void => this.say(note);
        await followAfter(entries, targets, cloud, flags, this.signal, { show, notice });
        this.signal.throwIfAborted();
      }
      return { version: 1, entries };
    } finally {
      await bench.close();
    }
  }
}
