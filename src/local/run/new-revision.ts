import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { status } from '@grpc/grpc-js';
import type { ImageStore } from '../contracts.ts';
import { RpcError } from '../grpc.ts';
import { revisionConditions } from './conditions.ts';
import { checkRevisionId, generateRevisionId } from './names.ts';
import type { Template } from './schema.ts';
import { findRevision, type Revision, type Service } from './state.ts';

/**
 * The template that needs a revision of its own, or nothing. A name that a revision has already is Google's conflict:
 * always when the write itself sends it (`namesRevision`), as whoever writes back a whole service does, and when
 * the rest of the template changes under a name that was stored.
 */
export function changedTemplate(
  service: Service,
  template: Template,
  namesRevision: boolean,
): Template | undefined {
  const { revision: name, ...configuration } = template;
  const { revision: formerName, ...former } = service.spec.template;
  const isSame = isDeepStrictEqual(configuration, former);
  if (name && (namesRevision || !isSame) && findRevision(service, name)) {
    throw new RpcError(
      status.ALREADY_EXISTS,
      `Revision named '${name}' with different configuration already exists.`,
    );
  }
  return isSame && (!name || name === formerName) ? undefined : template;
}

const maxRevisions = 1000;

/** The next revision of the service, not yet among its revisions; `latestCreated` and the count go on. */
export function addRevision(service: Service, template: Template, images: ImageStore): Revision {
  if (template.revision) checkRevisionId(service.service, template.revision);
  if (service.revisions.length >= maxRevisions) {
    throw new RpcError(
      status.RESOURCE_EXHAUSTED,
      `Service '${service.service}' has ${maxRevisions} revisions.`,
    );
  }
  const now = new Date();
  service.lastNumber += 1;
  const image = pinned(template.containers[0]?.image ?? '', images);
  const revision: Revision = {
    id: template.revision ?? generateRevisionId(service.service, service.lastNumber),
    uid: randomUUID(),
    number: service.lastNumber,
    createTime: now.toISOString(),
    updateTime: now.toISOString(),
    template,
    ...(image && { image }),
    outcome: { state: 'pending' },
    conditions: [],
  };
  revision.conditions = revisionConditions(revision, now);
  service.latestCreated = revision.id;
  return revision;
}

/** A tag is resolved when the revision is made: moving it later changes no revision. */
function pinned(reference: string, images: ImageStore): string | undefined {
  const image = images.resolve(reference);
  const repository = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return image && `${repository}@${image.digest}`;
}
