import { defaultHome } from '../../src/local/home.ts';
import { setLatency } from '../../src/local/launcher.ts';
import { latencyFlags } from '../../src/local-flags.ts';
import { SluiceCommand } from '../../src/terminal/base-command.ts';
import { startLocalCloud } from '../../src/workbench.ts';

export default class LocalStart extends SluiceCommand {
  static override summary = 'start the local cloud, if it does not run already';
  static override description =
    'Cloud Run, Cloud Build, Logging and Storage on one loopback port, running real processes. `--local` starts it on demand; its state lies under $SLUICE_HOME and outlives it.';
  static override examples = [
    '<%= config.bin %> local start',
    '<%= config.bin %> local start --latency-profile cloud',
  ];
  static override flags = latencyFlags;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(LocalStart);
    const { port, started } = await startLocalCloud();
    const profile = flags['latency-profile'];
    const latency = profile && { profile, factor: flags['latency-factor'] ?? 1 };
    if (latency) await setLatency({ home: defaultHome() }, latency);
    this.print([`the local cloud ${started ? 'has started' : 'already runs'} on 127.0.0.1:${port}`]);
    return { version: 1, port, started, ...(latency && { latency }) };
  }
}
