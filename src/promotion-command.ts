import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { exitCodes, SluiceError } from './errors.ts';
import { nameOf } from './gate/people.ts';
import type { Verdict } from './gate/verdict.ts';
import { openGit } from './git.ts';
import type { GateDeps, GateRequest } from './release/gate-facts.ts';
import { type Judged, judgeGate } from './release/promote.ts';
import { cloudFlags, configFlags, serviceFlag, type TypedFlags, typedCommand } from './terminal/flags.ts';
import { identifyActor, openWorkbench, type Workbench } from './workbench.ts';

/** From which environment into which. */
export const promotionArgs = {
  source: Args.string({ description: 'the environment that is promoted', required: true, ignoreStdin: true }),
  target: Args.string({ description: 'the environment it goes to', required: true, ignoreStdin: true }),
};

export const gateFlags = { ...configFlags, ...cloudFlags, ...serviceFlag };

export const promotionFlags = {
  override: Flags.string({ description: 'promote in a freeze, and record why', helpValue: 'WHY' }),
  'allow-older': Flags.boolean({ description: 'promote although the target runs a newer commit' }),
};

type Asked = { override?: string | undefined; 'allow-older'?: boolean; 'take-over-traffic'?: boolean };

const longestWhy = 500;

export function gateRequest(
  { source, target }: { source: string; target: string },
  flags: TypedFlags & Asked,
  actor: { who: string; account?: string },
): GateRequest {
  if (source === target) {
    throw new SluiceError('usage', {
      what: `${source} cannot be promoted to itself: name two environments.`,
    });
  }
  const why = flags.override?.trim();
  if (why === '' || (why !== undefined && why.length > longestWhy)) {
    const what = `--override says why, in 1 to ${longestWhy} characters.`;
    throw new SluiceError('usage', { what, next: ['--override "hotfix for the outage of today"'] });
  }
  return {
    ...{ from: source, to: target },
    command: typedCommand(`promote ${source} ${target}`, flags),
    type: (words) => typedCommand(words, flags),
    asked: {
      override: why ?? null,
      allowOlder: flags['allow-older'] === true,
      who: nameOf({ git: actor.who, account: actor.account ?? '' }),
    },
    takeOverTraffic: flags['take-over-traffic'] === true,
  };
}

/** Judges the gate and writes nothing. */
export async function judgeOnly(
  args: { source: string; target: string },
  flags: TypedFlags & Asked,
  signal: AbortSignal,
): Promise<Judged> {
  const request = gateRequest(args, flags, await identifyActor(flags.dir));
  const bench = await openWorkbench({ ...flags, environment: args.target, signal });
  try {
    return await withSource(bench, args.source, flags, signal, (deps) => judgeGate(request, deps));
  } finally {
    await bench.close();
  }
}

/** Opens the source's side beside the target's, for as long as `use` takes. */
export async function withSource<T>(
  target: Workbench,
  source: string,
  flags: TypedFlags,
  signal: AbortSignal,
  use: (deps: GateDeps) => Promise<T>,
): Promise<T> {
  const from = await openWorkbench({ ...flags, environment: source, signal, waiting: target.waiting });
  try {
    if (from.cloud.kind !== target.cloud.kind) {
      throw new SluiceError('usage', {
        what: `${source} and ${target.environment.name} are not on the same cloud.`,
        why: 'An image of the local cloud is not on Google Cloud, nor the other way round.',
      });
    }
    return await use({
      source: from,
      target,
      ...{ ledger: target.ledger, statements: target.statements },
      git: openGit(flags.dir),
      signal,
      now: Date.now,
    });
  } finally {
    await from.close();
  }
}

export function gateExitCode({ decision }: Verdict): number {
  return { ready: exitCodes.done, pending: exitCodes['gate-pending'], blocked: exitCodes['gate-blocked'] }[
    decision
  ];
}
