import { Flags } from '@oclif/core';

/** Groups of flags that several commands share. */
export const globalFlags = {
  quiet: Flags.boolean({ description: 'only the result and errors', helpGroup: 'GLOBAL' }),
  'no-color': Flags.boolean({
    description: 'no colours (NO_COLOR=1 does the same)',
    helpGroup: 'GLOBAL',
  }),
};

/** For commands that read sluice.yaml. */
export const configFlags = {
  dir: Flags.string({ description: 'the folder of the service or fleet', default: '.', helpValue: 'DIR' }),
  config: Flags.string({ description: 'the config file, instead of DIR/sluice.yaml', helpValue: 'FILE' }),
};

/** For commands that speak to a cloud. */
export const cloudFlags = {
  local: Flags.boolean({ description: 'use the local cloud, started on demand' }),
};
