import type { LiveRevision, LiveService } from '../cloud/ports/index.ts';
import { type Problem, SluiceError } from '../errors.ts';
import { type PastRelease, type Served, servedInTurn } from './served.ts';
import { describeTraffic, namedTraffic, onlyServing } from './traffic.ts';

export type ChoiceInputs = {
  live: LiveService;
  /** Known revisions, newest first. */
  revisions: readonly LiveRevision[];
  /** Of this service in this environment, oldest first. */
  past: readonly PastRelease[];
  /** A revision or a release, as typed; undefined: the default. */
  to: string | undefined;
  /** `sluice rollback staging`: what a candidate's `--to` is put behind. */
  command: string;
};

export type Choice =
  | {
      kind: 'chosen';
      target: Served;
      /** The release that made what serves now; null when no record tells. */
      undoes: string | null;
      because: string;
    }
  | { kind: 'refused'; problem: Problem };

/** Which revision a rollback goes to. Never a guess: what the records do not tell is refused, with the candidates. */
export function chooseTarget(inputs: ChoiceInputs): Choice {
  const turn = servedInTurn(inputs.past);
  const current = onlyServing(namedTraffic(inputs.live));
  const top = turn.at(-1);
  const undoes = top && top.revision === current ? top.release : null;
  if (inputs.to !== undefined) return chooseNamed(inputs, inputs.to, undoes);
  if (current === undefined) {
    return refused(inputs, turn, `No single revision serves: ${describeTraffic(namedTraffic(inputs.live))}.`);
  }
  if (!top) return refused(inputs, turn, 'No record here tells what served before.');
  if (top.revision !== current) {
    return refused(
      inputs,
      turn,
      `${current} serves, but the newest record here is of ${top.revision}: who else deployed, or moved the traffic, is not known.`,
    );
  }
  const target = turn.slice(0, -1).findLast(({ passed }) => passed !== false);
  if (!target)
    return refused(inputs, turn, `No revision before ${current} has served with a passed verdict.`);
  if (target.passed === null) {
    const why = target.revision
      ? `Before ${current} served ${target.revision}, whose verdict no record here tells.`
      : `Which one revision served before ${current} no record here tells.`;
    return refused(inputs, turn, why);
  }
  const because = `the last revision before ${current} that served with a passed verdict (release ${target.release})`;
  return { kind: 'chosen', target, undoes, because };
}

function chooseNamed(inputs: ChoiceInputs, to: string, undoes: string | null): Choice {
  const records = inputs.past.toReversed();
  const made = records.find(({ release }) => release === to);
  const name = made?.revision ?? to;
  const found = inputs.revisions.find((revision) => revision.name === name);
  if (!made && !found) {
    return refused(
      inputs,
      servedInTurn(inputs.past),
      `${to} is neither a revision of this service nor a release that gave one all the traffic.`,
    );
  }
  const record = made ?? records.find(({ revision }) => revision === name);
  const passed = records.some((past) => past.revision === name && past.passed) || (record?.passed ?? null);
  const target = { revision: name, release: record?.release ?? null, at: record?.at ?? null, passed };
  return {
    kind: 'chosen',
    target,
    undoes,
    because: `${made ? `release ${to}` : to} was asked for; ${pastVerdict(record, passed)}`,
  };
}

/**
 * The services that `--to` is about: a revision belongs to one of them (its name begins with the service's), a release
 * to all that it named.
 */
export function targetsFor<T extends { key: string; ref: { service: string } }>(
  targets: T[],
  to: string | undefined,
): T[] {
  if (to === undefined || releaseId.test(to) || targets.length === 1) return targets;
  const [owner] = targets
    .filter(({ ref }) => to.startsWith(`${ref.service}-`))
    .sort((a, b) => b.ref.service.length - a.ref.service.length);
  if (owner) return [owner];
  throw new SluiceError('usage', {
    what: `${to} is no release, and none of the services has revisions of such a name.`,
    why: `A revision's name begins with its service's: ${targets.map(({ ref }) => ref.service).join(', ')}.`,
    next: ['sluice status ENVIRONMENT'],
  });
}

/** `20261122T044736-staging-cgn6`. */
const releaseId = /^\d{8}T\d{6}-/;

function pastVerdict(record: PastRelease | undefined, passed: boolean | null): string {
  if (passed) return `it has passed${record ? ` (release ${record.release})` : ''}`;
  return passed === false ? 'it has not passed' : 'no record here tells its verdict';
}

const candidatesTold = 10;

function refused(inputs: ChoiceInputs, turn: readonly Served[], why: string): Choice {
  const { live, command } = inputs;
  const current = onlyServing(namedTraffic(live));
  const names = new Set([
    ...turn.toReversed().map(({ revision }) => revision),
    ...inputs.revisions.filter(({ ready }) => ready === 'yes').map(({ name }) => name),
  ]);
  const lines = [...names]
    .filter((name) => name !== '' && name !== current)
    .slice(0, candidatesTold)
    .map((name) => `${command} --to ${name}   # ${whatIsKnown(inputs, turn, name)}`);
  return {
    kind: 'refused',
    problem: {
      what: `Which revision of ${live.ref.service} to go back to is not clear, so nothing was done.`,
      why,
      next: lines.length > 0 ? lines : [`${command} --to REVISION`],
    },
  };
}

/** `release 20261122T044736-staging-cgn6, served from …, passed`: which release, when, with which verdict. */
function whatIsKnown({ past, revisions }: ChoiceInputs, turn: readonly Served[], name: string): string {
  const records = past.filter(({ revision }) => revision === name);
  const [first] = records;
  const found = revisions.find((revision) => revision.name === name);
  const facts = [
    first && `release ${first.release}`,
    first ? `served from ${first.at}` : found && `made ${found.createdAt}`,
    records.some(({ passed }) => passed)
      ? 'passed'
      : first?.passed === false
        ? 'not passed'
        : 'verdict not known here',
    first && !turn.some(({ revision }) => revision === name) && 'rolled back since',
    !found && 'not among the newest revisions',
  ];
  return facts.filter(Boolean).join(', ');
}
