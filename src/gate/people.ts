import { awaited, type GateCondition, met } from './verdict.ts';

/** Who said something: by git, which anybody may set, and by the cloud's credentials; '' where one does not tell. */
export type Said = { git: string; account: string };

export type Approved = { by: Said; note: string; at: string };

/** Approvals of a release by people who did not deploy it themselves. */
export function judgeApprovals(
  id: string,
  wanted: { approvals: number; selfApproval: boolean },
  release: { id: string; deployer: Said },
  approvals: readonly Approved[],
  remedy: string,
): GateCondition {
  const people = distinctPeople(approvals.map(({ by }) => by));
  const counted = people.filter(
    (one) => wanted.selfApproval || !one.some((by) => isSamePerson(by, release.deployer)),
  );
  const names = counted.map(([by]) => nameOf(by ?? nobody)).join(', ');
  if (wanted.approvals === 0) return met(id, names ? `none needed; approved by ${names}` : 'none needed');
  if (counted.length >= wanted.approvals) return met(id, `${release.id} is approved by ${names}`);
  const own = people.length > counted.length ? '; whoever deployed it does not count' : '';
  const have = `${release.id} has ${counted.length} of ${wanted.approvals} approvals`;
  return awaited(id, `${have}${names ? ` (${names})` : ''}${own}`, remedy);
}

const nobody: Said = { git: '', account: '' };

/** One entry a person, with all the names that they go by: what shares a git identity or an account is one. */
function distinctPeople(all: readonly Said[]): Said[][] {
  return all.reduce<Said[][]>((people, by) => {
    const own = people.filter((one) => one.some((other) => isSamePerson(other, by)));
    return [...people.filter((one) => !own.includes(one)), [...own.flat(), by]];
  }, []);
}

function isSamePerson(a: Said, b: Said): boolean {
  const same = (one: string, other: string) => one !== '' && one.toLowerCase() === other.toLowerCase();
  return same(a.git, b.git) || (isAccount(a) && same(a.account, b.account));
}

/** The local cloud has no accounts: it gives the login name, which all who work on a machine may share. */
const isAccount = ({ account }: Said) => account.includes('@');

export function nameOf({ git, account }: Said): string {
  if (account && account !== git) return git ? `${git} (${account})` : account;
  return git || 'somebody unknown';
}
