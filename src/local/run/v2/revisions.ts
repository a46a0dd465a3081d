import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { unary } from '../../grpc.ts';
import type { RunModel } from '../model.ts';
import { parseRevisionName, parseServiceName } from '../names.ts';
import { page } from '../page.ts';
import { versionOf } from './etag.ts';
import { renderRevision } from './render.ts';

type ListRequest = { parent?: string; pageSize?: number; pageToken?: string };
type DeleteRequest = { name?: string; etag?: string; validateOnly?: boolean };

/** `google.cloud.run.v2.Revisions` */
export function revisionsService(model: RunModel): UntypedServiceImplementation {
  return {
    GetRevision: unary(({ name = '' }: { name?: string }) => {
      const { service, revision } = model.revision(parseRevisionName(name));
      return renderRevision(service, revision);
    }),
    ListRevisions: unary(({ parent = '', pageSize, pageToken }: ListRequest) => {
      const service = model.service(parseServiceName(parent, 'parent'));
      const newestFirst = service.revisions.toSorted((a, b) => b.number - a.number);
      const { items, nextPageToken } = page(newestFirst, pageSize, pageToken);
      return { revisions: items.map((revision) => renderRevision(service, revision)), nextPageToken };
    }),
    DeleteRevision: unary(async ({ name = '', etag, validateOnly }: DeleteRequest) => {
      const options = { version: versionOf(etag), validateOnly };
      const { operation } = await model.removeRevision(parseRevisionName(name), options);
      return operation;
    }),
  };
}
