import * as Args from '@oclif/core/args';
import { SluiceError } from '../src/errors.ts';
import { environmentOf } from '../src/ledger/release-id.ts';
import { resumeCommand } from '../src/plan/resume-command.ts';
import { resume } from '../src/release/resume.ts';
import { ReleaseCommand, releaseFlags } from '../src/release-command.ts';
import { cloudFlags, configFlags, typedDeploy } from '../src/terminal/flags.ts';

export default class Resume extends ReleaseCommand {
  static override summary = 'go on with a release whose process died';
  static override description =
    'Reads how far the release came from its record and from the live service, and goes on from there under its own id: an image is used again, a candidate is adopted and checked again, a moved traffic is proven. A release that had failed is taken back. Whatever somebody else has changed since stays theirs (17). A release that has ended is shown as it ended, with its exit code.';
  static override examples = ['<%= config.bin %> resume 20261122T044736-staging-cgn6'];
  static override args = {
    release: Args.string({
      description: 'the release, as `sluice history` and `sluice status` name it',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = { ...configFlags, ...cloudFlags, ...releaseFlags };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Resume);
    const { release } = args;
    const environment = environmentOf(release);
    if (environment === undefined) {
      throw new SluiceError('usage', {
        what: `'${release}' is no release.`,
        why: 'A release looks like 20261122T044736-staging-cgn6.',
        next: ['sluice history ENV lists those of an environment'],
      });
    }
    const command = typedDeploy(environment, flags);
    const resumes = resumeCommand(command, release);
    return this.conduct(flags, { ...flags, environment }, (bench, deps) =>
      resume({ environment, targets: bench.targets, command, resumes }, { ...deps, release }),
    );
  }
}
