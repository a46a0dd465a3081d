import type { Fault } from '../issues.ts';
import { suggest } from '../issues.ts';
import { asValues, valueAt } from '../merge.ts';
import type { Target } from '../target.ts';

/** Rules over the whole file, as it is typed; paths are from the top. */
export function applyFileRules(file: unknown): Fault[] {
  return [
    somethingIsDeclared,
    overriddenServicesExist,
    urlNamesTheService,
    gateFromAnotherEnvironment,
  ].flatMap((rule) => rule(file));
}

const named = (file: unknown, section: 'services' | 'environments') =>
  Object.keys(asValues(valueAt(file, [section])));

function somethingIsDeclared(file: unknown): Fault[] {
  return (['services', 'environments'] as const)
    .filter((section) => Object.hasOwn(asValues(file), section) && named(file, section).length === 0)
    .map((section) => ({
      path: [section],
      part: 'key',
      message: `there must be one of the ${section} at least`,
    }));
}

function overriddenServicesExist(file: unknown): Fault[] {
  const services = named(file, 'services');
  return named(file, 'environments').flatMap((environment) => {
    const path = ['environments', environment, 'services'];
    return Object.keys(asValues(valueAt(file, path)))
      .filter((service) => !services.includes(service))
      .map((service) => ({
        path: [...path, service],
        part: 'key' as const,
        message: `there is no service "${service}"`,
        allowed: services.join(', '),
        ...suggest(service, services),
      }));
  });
}

/** One address cannot be that of several services. */
function urlNamesTheService(file: unknown): Fault[] {
  if (named(file, 'services').length < 2) return [];
  return named(file, 'environments').flatMap((environment) => {
    const path = ['environments', environment, 'url'];
    const url = valueAt(file, path);
    if (typeof url !== 'string' || url.includes('{service}')) return [];
    const message = 'one address for several services';
    return [
      {
        path,
        part: 'value' as const,
        message,
        found: `"${url}"`,
        allowed: 'an address that holds {service}',
      },
    ];
  });
}

/** An environment is promoted into from another one. */
function gateFromAnotherEnvironment(file: unknown): Fault[] {
  const environments = named(file, 'environments');
  return environments.flatMap((environment) => {
    const path = ['environments', environment, 'gate', 'from'];
    const from = valueAt(file, path);
    const others = environments.filter((other) => other !== environment);
    if (typeof from !== 'string' || others.includes(from)) return [];
    const message = 'the gate opens from another environment of this file';
    const allowed = others.join(', ');
    return [{ path, part: 'value' as const, message, found: `"${from}"`, allowed, ...suggest(from, others) }];
  });
}

/** Two entries must not deploy over each other. */
export function servicesDistinct(targets: readonly Target[]): Fault[] {
  const owners = new Map<string, Target>();
  return targets.flatMap((target) => {
    const { project, region, service } = target.ref;
    const place = `${project}/${region}/${service}`;
    const owner = owners.get(place);
    owners.set(place, owner ?? target);
    if (owner === undefined) return [];
    const message = `${target.key} in ${target.environment} and ${owner.key} in ${owner.environment} are the same Cloud Run service, ${place}`;
    const path = owner.key === target.key ? ['environments', target.environment] : ['services', target.key];
    return [{ path, part: 'key' as const, message, allowed: 'names or projects that differ' }];
  });
}
