import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';

/** Groups of flags that several commands share. */
export const globalFlags = {
  quiet: Flags.boolean({ description: 'only the result and errors', helpGroup: 'GLOBAL' }),
  'no-color': Flags.boolean({
    description: 'no colours (NO_COLOR=1 does the same)',
    helpGroup: 'GLOBAL',
  }),
};

/** Which environment. Never read from a pipe, as oclif would: that may be the log entries. */
export const environmentArg = {
  environment: Args.string({
    description: 'an environment of sluice.yaml',
    required: true,
    ignoreStdin: true,
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

export const serviceFlag = {
  service: Flags.string({ description: 'only this service', helpValue: 'NAME' }),
};

export const takeOverFlag = {
  'take-over-traffic': Flags.boolean({ description: 'move traffic that somebody else has pinned' }),
};

/** What changes what a deploy does; `plan` takes the same. */
export const deployFlags = {
  ...serviceFlag,
  env: Flags.string({
    description: 'set a variable for this one deploy',
    helpValue: 'KEY=VALUE',
    multiple: true,
  }),
  ...takeOverFlag,
};

/** How a command was typed: what its further commands need too. */
export type TypedFlags = {
  dir: string;
  local: boolean;
  config?: string | undefined;
  service?: string | undefined;
};

/** A command as it would be typed here: `status staging` → `sluice status staging --local --dir app`. */
export function typedCommand(words: string, flags: TypedFlags): string {
  return [
    `sluice ${words}`,
    ...(flags.local ? ['--local'] : []),
    ...(flags.dir === '.' ? [] : [`--dir ${flags.dir}`]),
    ...(flags.config === undefined ? [] : [`--config ${flags.config}`]),
    ...(flags.service === undefined ? [] : [`--service ${flags.service}`]),
  ].join(' ');
}

/** The deploy to type again; its variables are left out, their values are nobody's business. */
export function typedDeploy(environment: string, flags: TypedFlags): string {
  return typedCommand(`deploy ${environment}`, flags);
}
