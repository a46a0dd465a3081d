import { createSqlInstanceCommand } from '../cloud-sql.ts';
import { type GateCondition, met, unmet } from './verdict.ts';

/** How the commits of two releases lie to each other, as git tells. */
export type Ancestry =
  /** Nothing serves in the target. */
  | { kind: 'nothing-runs' }
  /** One of the two is not known, or was not clean. */
  | { kind: 'not-comparable'; why: string }
  /** Both are known and clean, and git cannot tell. */
  | { kind: 'untold'; why: string }
  | { kind: 'same' | 'newer' | 'older' | 'diverged'; source: string; target: string };

/** Something that the target's config refers to, and what the cloud says of it. */
export type Resource = {
  kind: 'secret' | 'service account' | 'Cloud SQL instance';
  name: string;
  answer: { state: 'exists' } | { state: 'missing' | 'unusable' | 'unknown'; why: string };
};

export function judgeCommit(id: string, ancestry: Ancestry, to: string, remedy: string): GateCondition {
  switch (ancestry.kind) {
    case 'nothing-runs':
      return met(id, `nothing runs in ${to} yet`);
    case 'not-comparable':
      return met(id, `not compared: ${ancestry.why}`);
    case 'untold':
      return unmet(id, `git cannot tell which commit is newer: ${ancestry.why}`, remedy);
    case 'same':
      return met(id, `${to} runs the same commit ${short(ancestry.source)}`);
    case 'newer':
      return met(id, `${short(ancestry.source)} comes after ${short(ancestry.target)}, which ${to} runs`);
    case 'older':
      return unmet(
        id,
        `${to} runs a newer commit, ${short(ancestry.target)} after ${short(ancestry.source)}`,
        remedy,
      );
    case 'diverged':
      return unmet(
        id,
        `${to} runs ${short(ancestry.target)}, which is not part of the history of ${short(ancestry.source)}`,
        remedy,
      );
  }
}

export function judgeLeaks(
  id: string,
  leaks: readonly string[],
  clean: string,
  remedy: string,
): GateCondition {
  return leaks.length === 0 ? met(id, clean) : unmet(id, leaks.join('; '), remedy);
}

/** One condition a kind: what cannot be asked is not met, never assumed. */
export function judgeResources(
  service: string,
  resources: readonly Resource[],
  target: { project: string },
  again: string,
): GateCondition[] {
  return resourceKinds.map((kind) => {
    const id = `${service}.${kind.replaceAll(' ', '-').toLowerCase()}`;
    const asked = resources.filter((resource) => resource.kind === kind);
    if (asked.length === 0) return met(id, 'none referenced');
    const open = asked.flatMap(({ name, answer }) =>
      answer.state === 'exists' ? [] : [{ name, ...answer }],
    );
    const [first] = open;
    if (!first) return met(id, `${asked.map(({ name }) => name).join(', ')} in ${target.project}`);
    const told = open.map(({ name, state, why }) => `${name} ${words[state]}${why ? ` (${why})` : ''}`);
    return unmet(id, told.join('; '), first.state === 'missing' ? make(kind, first.name, target) : again);
  });
}

const resourceKinds = ['secret', 'service account', 'Cloud SQL instance'] as const;

const words = { missing: 'does not exist', unusable: 'is not usable', unknown: 'could not be asked for' };

function make(kind: Resource['kind'], name: string, { project }: { project: string }): string {
  const [plain = name] = name.split(':');
  const [account = name] = name.split('@');
  switch (kind) {
    case 'secret':
      return `gcloud secrets create ${plain} --project ${project}, then add its version`;
    case 'service account':
      return `gcloud iam service-accounts create ${account} --project ${project}`;
    case 'Cloud SQL instance':
      return createSqlInstanceCommand(name);
  }
}

const short = (commit: string) => commit.slice(0, 12);
