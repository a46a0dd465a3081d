import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { readReport } from '../src/read-report.ts';
import { formats, render } from '../src/report/formats.ts';
import { releaseDocument } from '../src/report/json.ts';
import { writeReport } from '../src/report-output.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';
import { cloudFlags, configFlags, typedCommand } from '../src/terminal/flags.ts';
import { openRecords } from '../src/workbench.ts';

export default class Report extends SluiceCommand {
  static override summary = 'write the report of a release: what was done, measured and decided';
  static override description =
    'Folds the recorded events of a release (by default the newest) into a report. Markdown and JSON go to stdout; HTML is one self-contained file without scripts.';
  static override examples = [
    '<%= config.bin %> report',
    '<%= config.bin %> report 20261122T044736-staging-cgn6 --format html --open',
    '<%= config.bin %> report --format junit --output sluice-junit.xml',
    '<%= config.bin %> report --comment 135',
  ];
  static override args = {
    release: Args.string({ description: 'a release id; by default the newest', ignoreStdin: true }),
  };
  static override flags = {
    ...configFlags,
    ...cloudFlags,
    environment: Flags.string({ description: 'the newest release of this environment', helpValue: 'ENV' }),
    format: Flags.option({ options: formats, default: 'md', description: 'how to write it' })(),
    output: Flags.string({ description: 'a file to write it to', helpValue: 'FILE' }),
    open: Flags.boolean({ description: 'show it in the browser (writes a file, HTML by default)' }),
    comment: Flags.string({
      description: 'post it to a pull request or issue with the gh CLI',
      helpValue: 'PR|ISSUE',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags, metadata } = await this.parse(Report);
    const chosen = metadata.flags['format']?.setFromDefault !== true;
    const format = flags.open && !chosen ? 'html' : flags.format;
    const { environment } = flags;
    const records = await openRecords({ ...flags, signal: this.signal });
    const typed = (words: string) => typedCommand(words, flags);
    const report = await readReport(records.ledger, { ...args, environment }, typed).finally(records.close);
    const text = this.jsonEnabled() ? '' : await render(report, format);
    const told = await writeReport(
      { text, format, release: report.state.id, markdown: () => render(report, 'md') },
      flags,
      this.signal,
    );
    this.print(told.print);
    for (const line of told.say) this.say(line);
    return releaseDocument(report.state);
  }
}
