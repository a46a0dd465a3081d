/** A full disk, a used-up quota, a limit on the size of files (`ulimit -f`). */
const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on its disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the limit on the size of a file is reached',
};

/** What a call is told whose write found no room; nothing when the error is another one. */
export function noRoomMessage(error: unknown, folder = 'its folder under $SLUICE_HOME'): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = reasons[code];
  return (
    why &&
    `The local cloud cannot write to ${folder}: ${why}. Nothing was changed. Make room and try again: \`sluice local reset\` empties this folder.`
  );
}
