import { randomInt } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';
import { SpecError } from './spec-error.ts';

export type ServiceName = { project: string; location: string; service: string };
export type RevisionName = ServiceName & { revision: string };

const segment = '([^/]+)';
const parentPattern = new RegExp(`^projects/${segment}/locations/${segment}$`);
const servicePattern = new RegExp(`^projects/${segment}/locations/${segment}/services/${segment}$`);
const revisionPattern = new RegExp(
  `^projects/${segment}/locations/${segment}/services/${segment}/revisions/${segment}$`,
);
const dnsLabel = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

function parts(pattern: RegExp, field: string, name: string): string[] {
  const match = pattern.exec(name);
  if (!match)
    throw new RpcError(status.INVALID_ARGUMENT, `Invalid resource field value '${name}' in '${field}'.`);
  return match.slice(1);
}

export function parseParent(name: string): { project: string; location: string } {
  const [project = '', location = ''] = parts(parentPattern, 'parent', name);
  return { project, location };
}

export function parseServiceName(name: string, field = 'name'): ServiceName {
  const [project = '', location = '', service = ''] = parts(servicePattern, field, name);
  return { project, location, service };
}

export function parseRevisionName(name: string): RevisionName {
  const [project = '', location = '', service = '', revision = ''] = parts(revisionPattern, 'name', name);
  return { project, location, service, revision };
}

export function formatServiceName({ project, location, service }: ServiceName): string {
  return `projects/${project}/locations/${location}/services/${service}`;
}

export function formatRevisionName(service: ServiceName, revision: string): string {
  return `${formatServiceName(service)}/revisions/${revision}`;
}

export function checkServiceId(id: string): void {
  if (dnsLabel.test(id) && id.length < 50) return;
  throw new SpecError(
    ['serviceId'],
    `'${id}' must use only lowercase alphanumeric characters and dashes, begin with a letter, not end with a dash and be shorter than 50 characters.`,
  );
}

export function checkRevisionId(service: string, revision: string): void {
  if (dnsLabel.test(revision) && revision.length < 64 && revision.startsWith(`${service}-`)) return;
  throw new SpecError(
    ['template', 'revision'],
    `'${revision}' must begin with '${service}-', use only lowercase alphanumeric characters and dashes, not end with a dash and be shorter than 64 characters.`,
  );
}

export function isTag(service: string, tag: string): boolean {
  return dnsLabel.test(tag) && tag.length + service.length <= 46;
}

const letters = 'bcdfghjklmnpqrstvwxz';

/** `chat-00007-kqz`: the number counts the service's revisions, the letters keep names of deleted ones apart. */
export function generateRevisionId(service: string, number: number): string {
  const suffix = Array.from({ length: 3 }, () => letters[randomInt(letters.length)]).join('');
  return `${service}-${String(number).padStart(5, '0')}-${suffix}`;
}
