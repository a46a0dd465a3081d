import type { Change, Plan } from '../plan/plan.ts';

/**
 * What one would type to do by hand what was done (`moved`: the traffic too): `gcloud run deploy` keeps what is not named, so only the changes
 * of the plan are flags. Nothing of it is run; values that the plan hides stay hidden.
 */
export function gcloudCommands(plan: Plan, image: string, moved: boolean): string[] {
  const place = [`--project=${plan.place.project}`, `--region=${plan.place.region}`];
  const { service } = plan.place;
  const suffix = plan.revision?.startsWith(`${service}-`) ? plan.revision.slice(service.length + 1) : null;
  const deploy = [
    `gcloud run deploy ${service}`,
    ...place,
    `--image=${image}`,
    ...(suffix ? [`--revision-suffix=${suffix}`] : []),
    ...(plan.first ? ['--no-allow-unauthenticated'] : ['--no-traffic', '--tag=candidate']),
    ...plan.changes.flatMap(flagOf),
    ...listed('--update-env-vars', plan.changes, 'env.'),
    ...dropped('--remove-env-vars', plan.changes, 'env.'),
    ...listed('--update-secrets', plan.changes, 'secrets.'),
    ...dropped('--remove-secrets', plan.changes, 'secrets.'),
    ...listed('--update-labels', plan.changes, 'labels.'),
    ...dropped('--remove-labels', plan.changes, 'labels.'),
  ];
  const traffic = plan.first
    ? []
    : [
        [
          `gcloud run services update-traffic ${service}`,
          ...place,
          `--to-revisions=${plan.revision}=100`,
          '--remove-tags=candidate',
        ],
      ];
  const settings = plan.serviceWide.flatMap(flagOf);
  const update =
    settings.length > 0 ? [[`gcloud run services update ${service}`, ...place, ...settings]] : [];
  return [deploy, ...(moved ? [...traffic, ...update] : [])].map((words) =>
    words.map(quoted).join(' \\\n  '),
  );
}

const flags: Record<string, (to: string) => string> = {
  'container.port': (to) => `--port=${to}`,
  'container.cpu': (to) => `--cpu=${to}`,
  'container.memory': (to) => `--memory=${to}`,
  'container.concurrency': (to) => `--concurrency=${to}`,
  'container.timeoutSeconds': (to) => `--timeout=${to}`,
  'container.maxInstances': (to) => `--max-instances=${to}`,
  'container.cpuBoost': (to) => (to === 'true' ? '--cpu-boost' : '--no-cpu-boost'),
  'container.serviceAccount': (to) => `--service-account=${to}`,
  'container.cloudSql': (to) => `--set-cloudsql-instances=${to.replaceAll(', ', ',')}`,
  minInstances: (to) => `--min=${to}`,
  public: (to) => (to === 'true' ? '--no-invoker-iam-check' : '--invoker-iam-check'),
};

function flagOf({ field, to }: Change): string[] {
  const flag = flags[field];
  // An empty list of instances has a flag of its own.
  if (field === 'container.cloudSql' && !to) return ['--clear-cloudsql-instances'];
  return flag && to !== null ? [flag(to)] : [];
}

function listed(flag: string, changes: readonly Change[], group: string): string[] {
  const set = changes.filter(({ field, to }) => field.startsWith(group) && to !== null);
  if (set.length === 0) return [];
  const pairs = set.map(({ field, to }) => `${field.slice(group.length)}=${to}`);
  // A comma in a value would end it: gcloud lets the first characters name another delimiter.
  const joined = pairs.some((pair) => pair.includes(',')) ? `^|^${pairs.join('|')}` : pairs.join(',');
  return [`${flag}=${joined}`];
}

function dropped(flag: string, changes: readonly Change[], group: string): string[] {
  const gone = changes.filter(({ field, to }) => field.startsWith(group) && to === null);
  return gone.length === 0 ? [] : [`${flag}=${gone.map(({ field }) => field.slice(group.length)).join(',')}`];
}

/** For a shell, only where it must be. The first word is a command with its verb and name. */
function quoted(word: string, index: number): string {
  if (index === 0 || /^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
