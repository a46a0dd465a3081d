/** Another command about the same environment, typed as this one was: `sluice logs staging --local`. */
export function retyped(command: string, verb: string, ...flags: string[]): string {
  // A promotion names where it comes from before where it goes.
  return [command.replace(/^sluice (promote \S+|\S+)/, `sluice ${verb}`), ...flags].join(' ');
}
