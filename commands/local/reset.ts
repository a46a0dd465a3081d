import { defaultHome } from '../../src/local/home.ts';
import { resetLocalCloud } from '../../src/local/launcher.ts';
import { SluiceCommand } from '../../src/terminal/base-command.ts';

export default class LocalReset extends SluiceCommand {
  static override summary = 'stop the local cloud and forget its services, images, logs and objects';
  static override examples = ['<%= config.bin %> local reset'];

  async run(): Promise<unknown> {
    await this.parse(LocalReset);
    const home = defaultHome();
    await resetLocalCloud({ home });
    this.print([`the local cloud is empty: ${home}`]);
    return { version: 1, home };
  }
}
