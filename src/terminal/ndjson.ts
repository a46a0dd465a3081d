import type { Stamped } from '../release/events.ts';

/** `--events`: one line of JSON an event, as it happens. A reader that has gone away is not an error. */
export function createEventWriter(stdout: NodeJS.WritableStream): (stamped: Stamped) => void {
  return (stamped) => {
    stdout.write(`${JSON.stringify(stamped)}\n`);
  };
}
