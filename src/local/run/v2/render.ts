import { toTimestamp } from '../../grpc.ts';
import { formatRevisionName, formatServiceName } from '../names.ts';
import { revisionVersion } from '../refusals.ts';
import type { Condition, Revision, Service } from '../state.ts';
import { formatEtag } from './etag.ts';

/** `google.cloud.run.v2.Service` */
export function renderService(service: Service): object {
  const [ready, ...conditions] = service.conditions;
  return {
    ...service.spec,
    name: formatServiceName(service),
    uid: service.uid,
    generation: String(service.generation),
    observedGeneration: String(service.observedGeneration),
    createTime: time(service.createTime),
    updateTime: time(service.updateTime),
    terminalCondition: ready && renderCondition(ready),
    conditions: conditions.map(renderCondition),
    latestCreatedRevision: formatRevisionName(service, service.latestCreated),
    ...(service.latestReady && { latestReadyRevision: formatRevisionName(service, service.latestReady) }),
    trafficStatuses: service.actual.map(({ type, revision, percent, tag }) => ({
      type,
      // As at Google, a LATEST entry names no revision: that is latestReadyRevision.
      ...(type === 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION' && { revision }),
      percent,
      ...(tag && { tag, uri: service.tagUris[tag] }),
    })),
    uri: service.uri,
    urls: service.uri ? [service.uri] : [],
    reconciling: service.reconciling,
    etag: formatEtag(service.version),
  };
}

/** `google.cloud.run.v2.Revision` */
export function renderRevision(service: Service, revision: Revision): object {
  const { revision: _, containers, ...template } = revision.template;
  return {
    ...template,
    containers: containers.map((container) => ({ ...container, image: revision.image ?? container.image })),
    name: formatRevisionName(service, revision.id),
    uid: revision.uid,
    service: service.service,
    generation: '1',
    observedGeneration: '1',
    createTime: time(revision.createTime),
    updateTime: time(revision.updateTime),
    launchStage: service.spec.launchStage ?? 'GA',
    reconciling: revision.outcome.state === 'pending',
    conditions: revision.conditions.map(renderCondition),
    etag: formatEtag(revisionVersion(revision)),
  };
}

function renderCondition({ since, ...condition }: Condition): object {
  return {
    ...(condition.state === 'CONDITION_FAILED' && { severity: 'ERROR' }),
    ...condition,
    lastTransitionTime: time(since),
  };
}

function time(iso: string) {
  return toTimestamp(new Date(iso));
}
