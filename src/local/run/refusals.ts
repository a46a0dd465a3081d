import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';
import type { Revision, Service } from './state.ts';

/** Throws Google's conflict unless the caller names this version, or none. */
export function checkVersion(resource: string, given: string | undefined, version: number): void {
  if (given === undefined || given === String(version)) return;
  throw new RpcError(
    status.ABORTED,
    `Conflict for resource '${resource}': version '${given}' was specified but current version is '${version}'.`,
  );
}

/** A revision changes only while it is deployed. */
export function revisionVersion(revision: Revision): number {
  return Date.parse(revision.updateTime);
}

export function notFound(place: { project: string; location: string }, kind: string, id: string): RpcError {
  return new RpcError(
    status.NOT_FOUND,
    `Resource '${id}' of kind '${kind}' in region '${place.location}' in project '${place.project}' does not exist.`,
  );
}

/** Throws when something still needs the revision. */
export function checkUnneeded(service: Service, { id }: Revision): void {
  const routed = [...service.actual, ...(service.spec.traffic ?? [])].some(({ revision }) => revision === id);
  const why = routed
    ? 'it is receiving traffic or has a tag'
    : id === service.latestCreated
      ? 'it is the latest created revision of its service'
      : undefined;
  if (why)
    throw new RpcError(status.FAILED_PRECONDITION, `Revision '${id}' cannot be deleted because ${why}.`);
}
