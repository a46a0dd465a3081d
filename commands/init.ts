import { fileURLToPath } from 'node:url';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { initFromTemplate } from '../src/init.ts';
import { SluiceCommand } from '../src/terminal/base-command.ts';

export default class Init extends SluiceCommand {
  static override summary = 'start from a template: a service with its sluice.yaml';
  static override description =
    'Copies the template into a folder. Writes nothing if a file would be overwritten.';
  static override examples = [
    '<%= config.bin %> init --template chat',
    '<%= config.bin %> init my-service --template chat',
  ];
  static override args = {
    folder: Args.string({ description: 'where the files go', default: '.', ignoreStdin: true }),
  };
  static override flags = {
    template: Flags.string({ description: 'which template', default: 'chat', helpValue: 'NAME' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Init);
    const { written, next, ...made } = await initFromTemplate({
      template: flags.template,
      into: args.folder,
      cwd: process.cwd(),
      packageRoot: fileURLToPath(new URL('../../', import.meta.url)),
    });
    this.print([...written.map((file) => `✔ ${file}`), ...next.map((command) => `→ ${command}`)]);
    return { version: 1, ...made, written, next };
  }
}
