import { Flags } from '@oclif/core';
import { followLogs } from '../src/cloud/follow-logs.ts';
import { serviceFilter } from '../src/cloud/log-filter.ts';
import { type LogEntry, type Severity, severities } from '../src/cloud/ports/index.ts';
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
      const queries = bench.targets.map(({ ref }) => ({
        project: ref.project,
        filter: serviceFilter(ref, wishOf(flags)),
      }));
      const { logs } = bench.cloud;
      const call = { signal: this.signal };
      const lists = await Promise.all(
        queries.map((query) => logs.listNewest({ ...query, limit: flags.limit }, call)),
      );
      const entries = lists.flat().sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
      show(entries);
      if (entries.length === 0) this.say('no log lines match');
      if (flags.follow) {
        const since = entries.at(-1)?.timestamp ?? new Date().toISOString();
        const seen = new Set(entries.map(keyOf));
        const follow = async (query: { project: string; filter: string }): Promise<void> => {
          for await (const batch of followLogs(logs, { ...query, since }, call, (note) => this.say(note))) {
            show(batch.filter((entry) => isNew(seen, entry)));
          }
        };
        await Promise.all(queries.map(follow));
        this.signal.throwIfAborted();
      }
      return { version: 1, entries };
    } finally {
      await bench.close();
    }
  }
}

function wishOf(flags: { revision?: string | undefined; severity?: Severity | undefined }) {
  return {
    ...(flags.revision ? { revision: flags.revision } : {}),
    ...(flags.severity ? { severity: flags.severity } : {}),
  };
}

const remembered = 10_000;

function isNew(seen: Set<string>, entry: LogEntry): boolean {
  const key = keyOf(entry);
  if (seen.has(key)) return false;
  if (seen.size > remembered) seen.clear();
  seen.add(key);
  return true;
}

function keyOf(entry: LogEntry): string {
  return `${entry.log} ${entry.timestamp} ${entry.insertId}`;
}
