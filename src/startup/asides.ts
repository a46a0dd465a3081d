/** What a line says beside what it is about. */
export type Aside = { says: 'stopping' } | { says: 'sql-socket'; path: string };

/** The service says that it was asked to stop, or that it stops in good order. */
const stopping =
  /\bSIGTERM\b|\b[Ss]hutting down\b|\b[Gg]racefully (?:stopp|shut)|\b[Gg]raceful shutdown\b|\bHandling signal: term\b|\bSHUTDOWN_REQUESTED\b/;
const socket = /\/cloudsql\/[\w.-]+(?::[\w-]+){2,3}/;

/** A line with none of these says nothing on the side. */
export const asideWords: readonly string[] = [
  'SIGTERM',
  'hutting down',
  'racefully s',
  'raceful shutdown',
  'signal: term',
  'SHUTDOWN_REQUESTED',
  '/cloudsql/',
];

export function asidesOf(line: string): Aside[] {
  const asides: Aside[] = [];
  if (stopping.test(line)) asides.push({ says: 'stopping' });
  const path = socket.exec(line)?.[0];
  if (path !== undefined) asides.push({ says: 'sql-socket', path });
  return asides;
}
