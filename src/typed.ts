/** Another command about the same environment, typed as this one was: `sluice logs staging --local`. */
export function retyped(command: string, verb: string, ...flags: string[]): string {
  return [command.replace(/^sluice \S+/, `sluice ${verb}`), ...flags].join(' ');
}
