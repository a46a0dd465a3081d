import { defaultHome } from '../../src/local/home.ts';
import { stopLocalCloud } from '../../src/local/launcher.ts';
import { SluiceCommand } from '../../src/terminal/base-command.ts';

export default class LocalStop extends SluiceCommand {
  static override summary = 'stop the local cloud and every service on it; its state stays';
  static override examples = ['<%= config.bin %> local stop'];

  async run(): Promise<unknown> {
    await this.parse(LocalStop);
    const stopped = await stopLocalCloud({ home: defaultHome() });
    this.print([
      stopped ? 'the local cloud has stopped; its state stays' : 'the local cloud was not running',
    ]);
    return { version: 1, stopped };
  }
}
