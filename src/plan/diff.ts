import type { LiveService, Template } from '../cloud/ports/index.ts';
import type { Target } from '../config/target.ts';
import type { Owned } from './marks.ts';
import type { Change } from './plan.ts';

/** A wish for a template: the container settings that sluice.yaml names. */
export function wishedSettings(target: Target): Omit<Template, 'image' | 'env' | 'secrets' | 'labels'> {
  const { container } = target;
  return {
    cloudSql: target.cloudSql,
    port: container.port,
    cpu: container.cpu,
    memory: container.memory,
    concurrency: container.concurrency,
    timeoutSeconds: container.timeoutSeconds,
    maxInstances: container.maxInstances,
    cpuBoost: container.cpuBoost,
    serviceAccount: container.serviceAccount,
  };
}

/** Owned keys that have left the config: the only ones that are ever removed. */
export function leftBehind(target: Target, owns: Owned): Owned {
  return {
    env: owns.env.filter((key) => !(key in target.env)),
    secrets: owns.secrets.filter((key) => !(key in target.secrets)),
    labels: owns.labels.filter((key) => !(key in target.container.labels)),
  };
}

/** What somebody else has set beside the config's keys: it stays in every revision to come. */
export function foreignKeys(target: Target, { env, secrets }: Template, owns: Owned): string[] {
  const others = (found: object, wished: object, owned: readonly string[]): string[] =>
    Object.keys(found).filter((key) => !(key in wished) && !owned.includes(key));
  return [
    ...others(env, target.env, owns.env).map((key) => `env ${key}`),
    ...others(secrets, target.secrets, owns.secrets).map((key) => `secret ${key}`),
  ];
}

/** Every field of a revision that would differ, against the revision that serves (undefined: none does). */
export function templateChanges(
  target: Target,
  serving: Template | undefined,
  image: string | null,
  owns: Owned,
): Change[] {
  const changes: Change[] = [];
  if (image === null || image !== serving?.image) {
    changes.push({ field: 'image', from: serving?.image ?? null, to: image ?? 'known after build' });
  }
  const gone = leftBehind(target, owns);
  const envChanges = keyedChanges('env', serving?.env ?? {}, target.env, gone.env);
  changes.push(...envChanges.map((change) => hideSecret(change, target)));
  changes.push(
    ...keyedChanges('secrets', secretText(serving?.secrets ?? {}), secretText(target.secrets), gone.secrets),
  );
  changes.push(...keyedChanges('labels', serving?.labels ?? {}, target.container.labels, gone.labels));
  for (const [field, wish] of Object.entries(wishedSettings(target))) {
    const found = serving?.[field as keyof Template];
    // '' leaves what is there: a service account that the config does not name is not Sluice's.
    if (wish === '' || plain(found ?? '') === plain(wish)) continue;
    changes.push({ field: `container.${field}`, from: serving ? plain(found) : null, to: plain(wish) });
  }
  return changes;
}

/** Every field in which one revision differs from another. */
export function templateDifference(from: Template, to: Template, target: Target): Change[] {
  const {
    env: envBefore,
    secrets: secretsBefore,
    labels: labelsBefore,
    image: imageBefore,
    ...before
  } = from;
  const { env, secrets, labels, image, ...after } = to;
  const gone = (now: object, then: object): string[] => Object.keys(then).filter((key) => !(key in now));
  return [
    ...(image === imageBefore ? [] : [{ field: 'image', from: imageBefore, to: image }]),
    ...keyedChanges('env', envBefore, env, gone(env, envBefore)).map((change) => hideSecret(change, target)),
    ...keyedChanges('secrets', secretText(secretsBefore), secretText(secrets), gone(secrets, secretsBefore)),
    ...keyedChanges('labels', labelsBefore, labels, gone(labels, labelsBefore)),
    ...keyedChanges('container', plainly(before), plainly(after), []),
  ];
}

function plainly(settings: object): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, plain(value)]));
}

/** Settings of the service itself: they work at once and cannot be tried on a candidate. */
export function serviceWideChanges(target: Target, live: LiveService | undefined): Change[] {
  const changes: Change[] = [];
  const wish = { public: target.container.public, minInstances: target.container.minInstances };
  if (wish.public !== (live?.public ?? false)) {
    changes.push({ field: 'public', from: live ? String(live.public) : null, to: String(wish.public) });
  }
  if (wish.minInstances !== (live?.minInstances ?? 0)) {
    changes.push({
      field: 'minInstances',
      from: live ? String(live.minInstances) : null,
      to: String(wish.minInstances),
    });
  }
  return changes;
}

function secretText(map: Template['secrets']): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, ref]) => [key, `${ref.secret}:${ref.version}`]));
}

const secretName = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|DSN)$|DATABASE_URL/i;

/** An e2e variable opens a door, and people put secrets into plain variables: that it changes is shown, not what. */
function hideSecret(change: Change, target: Target): Change {
  const key = change.field.slice('env.'.length);
  if (!(key in target.e2e.env) && !secretName.test(key)) return change;
  const hide = (value: string | null): string | null => (value === null ? null : '[redacted]');
  return { field: change.field, from: hide(change.from), to: hide(change.to) };
}

function keyedChanges(
  group: string,
  found: Record<string, string>,
  wished: Record<string, string>,
  gone: string[],
): Change[] {
  const set = Object.entries(wished)
    .filter(([key, value]) => found[key] !== value)
    .map(([key, value]) => ({ field: `${group}.${key}`, from: found[key] ?? null, to: value }));
  const removed = gone
    .filter((key) => key in found)
    .map((key) => ({ field: `${group}.${key}`, from: found[key] ?? null, to: null }));
  return [...set, ...removed];
}

function plain(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value);
}
