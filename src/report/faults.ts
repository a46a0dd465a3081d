/** A fault as the local cloud tells it; its own type stays on its side of the wire. */
export type ShownFault = {
  id: string;
  api: string;
  method?: string | undefined;
  code?: string | undefined;
  message?: string | undefined;
  latencyMs?: number | undefined;
  dropReply?: true | undefined;
  staleReadMs?: number | undefined;
  cutStreamAfter?: number | undefined;
  times?: number | undefined;
  probability?: number | undefined;
  seed?: number | undefined;
  hits: number;
};

/** `f1  run UpdateService  fails with UNAVAILABLE  1 of 2 times`. */
export function faultLine(fault: ShownFault): string {
  return [
    fault.id,
    `${fault.api} ${fault.method ?? '(every method)'}`,
    whatHappens(fault).join(', '),
    howOften(fault),
  ].join('  ');
}

function whatHappens(fault: ShownFault): string[] {
  const { code, message, latencyMs, dropReply, staleReadMs, cutStreamAfter } = fault;
  const told = code ? ` (${code})` : '';
  return [
    ...(latencyMs === undefined ? [] : [`begins ${latencyMs} ms later`]),
    ...(dropReply ? [`takes effect, loses its reply${told}`] : []),
    ...(staleReadMs === undefined ? [] : [`is stale for ${staleReadMs} ms after a write`]),
    ...(cutStreamAfter === undefined ? [] : [`breaks off after ${cutStreamAfter}${told}`]),
    ...(code && !dropReply && cutStreamAfter === undefined ? [`fails with ${code}`] : []),
    ...(message ? [JSON.stringify(message)] : []),
  ];
}

function howOften({ hits, times, probability, seed }: ShownFault): string {
  const among = probability === undefined ? '' : `, of each call by ${probability} (seed ${seed})`;
  if (times === undefined) return `until cleared, ${hits} so far${among}`;
  return hits < times ? `${hits} of ${times} times${among}` : `used up after ${times}`;
}
