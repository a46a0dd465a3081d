import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { gcloudEnv } from '../../src/local/gcloud-env.ts';
import { defaultHome } from '../../src/local/home.ts';
import { localPlace } from '../../src/local-place.ts';
import { SluiceCommand } from '../../src/terminal/base-command.ts';
import { configFlags } from '../../src/terminal/flags.ts';
import { exportLines, shells, unsetLines } from '../../src/terminal/shell.ts';
import { startLocalCloud } from '../../src/workbench.ts';

export default class LocalEnv extends SluiceCommand {
  static override summary = "print what points Google's gcloud at the local cloud, started on demand";
  static override description =
    'For `eval`: gcloud in this shell then speaks to the local cloud and to nothing else, with a configuration folder of its own. Nothing but gcloud reads these variables. Project and region are those of an environment of sluice.yaml, by default the first; without a sluice.yaml demo-project and us-central1.';
  static override examples = [
    'eval "$(<%= config.bin %> local env)"',
    'eval "$(<%= config.bin %> local env production --dir templates/chat)"',
    'eval "$(<%= config.bin %> local env --unset)"',
    '<%= config.bin %> local env --shell fish | source',
  ];
  static override args = {
    environment: Args.string({ description: 'an environment of sluice.yaml', ignoreStdin: true }),
  };
  static override flags = {
    ...configFlags,
    project: Flags.string({ description: "instead of the environment's", helpValue: 'ID' }),
    region: Flags.string({ description: "instead of the environment's", helpValue: 'REGION' }),
    shell: Flags.option({ description: 'whose words to print', options: shells, default: 'sh' })(),
    unset: Flags.boolean({ description: 'print what undoes it' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LocalEnv);
    const home = defaultHome();
    const { project, region } = flags;
    if (flags.unset) {
      const unset = Object.keys(gcloudEnv({ home, port: 0, project: '', region: '' }));
      this.print(unsetLines(unset, flags.shell));
      return { version: 1, unset };
    }
    const place =
      project && region
        ? { project, region }
        : {
            ...(await localPlace({ ...flags, ...args })),
            ...(project && { project }),
            ...(region && { region }),
          };
    const { port } = await startLocalCloud();
    const env = gcloudEnv({ home, port, ...place });
    this.print(exportLines(env, flags.shell));
    this.say(`gcloud speaks to the local cloud on 127.0.0.1:${port}, project ${place.project}`);
    return { version: 1, port, ...place, env };
  }
}
