import { createReadStream } from 'node:fs';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { SluiceError } from '../src/errors.ts';
import { readStartup } from '../src/release/read-startup.ts';
import { startupLines } from '../src/report/startup.ts';
import type { StartupReport } from '../src/startup/profile.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';
import { cloudFlags, configFlags, serviceFlag, typedDeploy } from '../src/terminal/flags.ts';
import { openWorkbench } from '../src/workbench.ts';

export default class Startup extends SluiceCommand {
  static override summary = 'read a startup from its log: phases, critical systems, root cause, findings';
  static override description =
    'Of the revision that serves (or --revision) in an environment, or of a file as `gcloud logging read --format=json` prints it. The root cause is the innermost one, not the last line.';
  static override examples = [
    '<%= config.bin %> startup staging',
    '<%= config.bin %> startup staging --revision chat-r1122-0231-k3f9 --json',
    '<%= config.bin %> startup --file entries.json',
    'gcloud logging read FILTER --format=json | <%= config.bin %> startup --file -',
  ];
  static override args = {
    environment: Args.string({ description: 'an environment of sluice.yaml', ignoreStdin: true }),
  };
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    ...serviceFlag,
    revision: Flags.string({ description: 'only this revision', helpValue: 'NAME' }),
    file: Flags.string({ description: 'log entries as JSON or NDJSON; - reads stdin', helpValue: 'FILE' }),
  };

  async run(): Promise<StartupReport> {
    const { args, flags } = await this.parse(Startup);
    const { environment } = args;
    const report =
      flags.file === undefined
        ? await this.fromCloud({ ...flags, environment: demand(environment) })
        : await this.fromFile(flags.file, flags.revision);
    this.print(startupLines(report, this.theme(process.stdout)));
    return report;
  }

  private async fromFile(file: string, revision: string | undefined): Promise<StartupReport> {
    const { readStartupFile } = await import('../src/startup-file.ts');
    const input = file === '-' ? process.stdin : createReadStream(file);
    const { report, entries, skipped } = await readStartupFile(input, file);
    if (skipped > 0)
      this.say(`${skipped} of ${entries + skipped} items were no log entries and were left out`);
    if (revision === undefined) return report;
    return { ...report, revisions: report.revisions.filter((profile) => profile.revision === revision) };
  }

  private async fromCloud(
    options: Omit<Parameters<typeof openWorkbench>[0], 'signal'> & { revision?: string | undefined },
  ): Promise<StartupReport> {
    const bench = await openWorkbench({ ...options, signal: this.signal });
    const command = typedDeploy(options.environment, options);
    try {
      const profiles = await Promise.all(
        bench.targets.map((target) =>
          readStartup(target, { cloud: bench.cloud, signal: this.signal, command }, options.revision),
        ),
      );
      return { version: 1, revisions: profiles.flat() };
    } finally {
      await bench.close();
    }
  }
}

function demand(environment: string | undefined): string {
  if (environment !== undefined) return environment;
  throw new SluiceError('usage', {
    what: 'Whose startup? Name an environment, or a file of log entries.',
    next: ['sluice startup staging', 'sluice startup --file entries.json'],
  });
}
