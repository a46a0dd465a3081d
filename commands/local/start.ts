import { defaultHome } from '../../src/local/home.ts';
import { setIdleTimeout, setLatency } from '../../src/local/launcher.ts';
import { startFlags } from '../../src/local-flags.ts';
import { SluiceCommand } from '../../src/terminal/base-command.ts';
import { startLocalCloud } from '../../src/workbench.ts';

export default class LocalStart extends SluiceCommand {
  static override summary = 'start the local cloud, if it does not run already';
  static override description =
    'Cloud Run, Cloud Build, Logging and Storage on one loopback port, running real processes. `--local` starts it on demand; its state lies under $SLUICE_HOME and outlives it.';
  static override examples = [
    '<%= config.bin %> local start',
    '<%= config.bin %> local start --latency-profile cloud',
    '<%= config.bin %> local start --idle-timeout 30s',
  ];
  static override flags = startFlags;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(LocalStart);
    const { port, started } = await startLocalCloud();
    const profile = flags['latency-profile'];
    const latency = profile && { profile, factor: flags['latency-factor'] ?? 1 };
    if (latency) await setLatency({ home: defaultHome() }, latency);
    const idle = flags['idle-timeout'];
    const idleTimeout = idle === undefined ? undefined : { seconds: idle / 1000 };
    if (idleTimeout) await setIdleTimeout({ home: defaultHome() }, idleTimeout);
    this.print([`the local cloud ${started ? 'has started' : 'already runs'} on 127.0.0.1:${port}`]);
    return { version: 1, port, started, ...(latency && { latency }), ...(idleTimeout && { idleTimeout }) };
  }
}
