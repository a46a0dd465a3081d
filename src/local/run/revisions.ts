import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Runtime } from '../contracts.ts';
import { type Protos, RpcError, unary } from '../grpc.ts';
import { untilWritten } from '../journal/failure.ts';
import type { OperationStore } from '../operations.ts';
import { checkEtag } from './etag.ts';
import { parseRevisionName, parseServiceName } from './names.ts';
import { page } from './page.ts';
import { renderRevision, revisionVersion } from './render.ts';
import { operationName, requireService, validated } from './services.ts';
import { findRevision, type Revision, type RunState, refOf, type Service } from './state.ts';

export type RevisionsParts = {
  state: RunState;
  protos: Protos;
  operations: OperationStore;
  runtime: Runtime;
};

type ListRequest = { parent?: string; pageSize?: number; pageToken?: string };
type DeleteRequest = { name?: string; etag?: string; validateOnly?: boolean };

/** `google.cloud.run.v2.Revisions` */
export function revisionsService(parts: RevisionsParts): UntypedServiceImplementation {
  const { state, operations, runtime } = parts;

  function find(path: string): { service: Service; revision: Revision } {
    const name = parseRevisionName(path);
    const service = state.find(name);
    const revision = service && findRevision(service, name.revision);
    if (service && revision) return { service, revision };
    throw new RpcError(
      status.NOT_FOUND,
      `Resource '${name.revision}' of kind 'REVISION' in region '${name.location}' in project '${name.project}' does not exist.`,
    );
  }

  async function remove({ name = '', etag, validateOnly }: DeleteRequest) {
    const { service, revision } = find(name);
    checkEtag(revision.id, etag, revisionVersion(revision));
    refuseWhenNeeded(service, revision);
    const resource = parts.protos.pack('google.cloud.run.v2.Revision', renderRevision(service, revision));
    if (validateOnly) return validated(resource);
    const [operation] = await Promise.all([
      operations.create(operationName(service), resource),
      state.removeRevision(service, revision),
    ]);
    void runtime.remove(refOf(service, revision));
    void untilWritten(() => operations.complete(operation.name, { response: resource }));
    return operation;
  }

  return {
    GetRevision: unary(({ name = '' }: { name?: string }) => {
      const { service, revision } = find(name);
      return renderRevision(service, revision);
    }),
    ListRevisions: unary(({ parent = '', pageSize, pageToken }: ListRequest) => {
      const service = requireService(state, parseServiceName(parent, 'parent'));
      const newestFirst = service.revisions.toSorted((a, b) => b.number - a.number);
      const { items, nextPageToken } = page(newestFirst, pageSize, pageToken);
      return { revisions: items.map((revision) => renderRevision(service, revision)), nextPageToken };
    }),
    DeleteRevision: unary(remove),
  };
}

function refuseWhenNeeded(service: Service, { id }: Revision): void {
  const routed = [...service.actual, ...(service.spec.traffic ?? [])].some(({ revision }) => revision === id);
  const why = routed
    ? 'it is receiving traffic or has a tag'
    : id === service.latestCreated
      ? 'it is the latest created revision of its service'
      : undefined;
  if (why)
    throw new RpcError(status.FAILED_PRECONDITION, `Revision '${id}' cannot be deleted because ${why}.`);
}
