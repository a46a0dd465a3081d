import { defaultHome } from '../../src/local/home.ts';
import { localCloudStatus } from '../../src/local/launcher.ts';
import { localStatusLines } from '../../src/report/local-status.ts';
import { SluiceCommand } from '../../src/terminal/base-command.ts';

export default class LocalStatus extends SluiceCommand {
  static override summary = 'show whether the local cloud runs, where, and what runs on it';
  static override examples = ['<%= config.bin %> local status', '<%= config.bin %> local status --json'];

  async run(): Promise<unknown> {
    await this.parse(LocalStatus);
    const status = await localCloudStatus({ home: defaultHome() });
    this.print(localStatusLines(status, this.theme(process.stdout)));
    return { version: 1, ...status };
  }
}
