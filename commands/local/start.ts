import { SluiceCommand } from '../../src/terminal/base-command.ts';
import { startLocalCloud } from '../../src/workbench.ts';

export default class LocalStart extends SluiceCommand {
  static override summary = 'start the local cloud, if it does not run already';
  static override description =
    'Cloud Run, Cloud Build, Logging and Storage on one loopback port, running real processes. `--local` starts it on demand; its state lies under $SLUICE_HOME and outlives it.';
  static override examples = ['<%= config.bin %> local start'];

  async run(): Promise<unknown> {
    await this.parse(LocalStart);
    const { port, started } = await startLocalCloud();
    this.print([`the local cloud ${started ? 'has started' : 'already runs'} on 127.0.0.1:${port}`]);
    return { version: 1, port, started };
  }
}
