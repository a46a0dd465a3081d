import type { Revision, Service } from '../state.ts';
import { toCondition } from './conditions.ts';
import { locationLabel } from './from-knative.ts';
import { formatResourceVersion } from './resource-version.ts';
import { annotationsOf, toTarget, toTemplate } from './to-knative.ts';

const apiVersion = 'serving.knative.dev/v1';
const label = (name: string) => `serving.knative.dev/${name}`;

/** A service as Cloud Run's v1 API shows it. */
export function knativeService(service: Service): object {
  const { spec } = service;
  return {
    apiVersion,
    kind: 'Service',
    metadata: serviceMetadata(service, 'services'),
    spec: { template: toTemplate(spec.template), traffic: (spec.traffic ?? []).map(toTarget) },
    status: {
      observedGeneration: service.generation,
      conditions: service.conditions.map(toCondition),
      ...configurationStatus(service),
      ...routeStatus(service),
    },
  };
}

/** The half of a service that makes revisions. */
export function knativeConfiguration(service: Service): object {
  return {
    apiVersion,
    kind: 'Configuration',
    metadata: serviceMetadata(service, 'configurations'),
    spec: { template: toTemplate(service.spec.template) },
    status: {
      observedGeneration: service.generation,
      conditions: conditionAsReady(service, 'ConfigurationsReady'),
      ...configurationStatus(service),
    },
  };
}

/** The half of a service that routes requests. */
export function knativeRoute(service: Service): object {
  return {
    apiVersion,
    kind: 'Route',
    metadata: serviceMetadata(service, 'routes'),
    spec: { traffic: (service.spec.traffic ?? []).map(toTarget) },
    status: {
      observedGeneration: service.generation,
      conditions: conditionAsReady(service, 'RoutesReady'),
      ...routeStatus(service),
    },
  };
}

function conditionAsReady(service: Service, type: string) {
  return service.conditions
    .filter((condition) => condition.type === type)
    .map((condition) => toCondition({ ...condition, type: 'Ready' }));
}

function serviceMetadata(service: Service, collection: string) {
  const { spec, uri } = service;
  return {
    name: service.service,
    namespace: service.project,
    selfLink: selfLink(service, collection, service.service),
    uid: service.uid,
    resourceVersion: formatResourceVersion(service.version),
    generation: service.generation,
    creationTimestamp: service.createTime,
    labels: { ...spec.labels, [locationLabel]: service.location },
    annotations: {
      ...annotationsOf(spec),
      'run.googleapis.com/ingress-status': annotationsOf(spec)['run.googleapis.com/ingress'] ?? 'all',
      ...(uri && { 'run.googleapis.com/urls': JSON.stringify([uri]) }),
    },
  };
}

function configurationStatus({ latestCreated, latestReady }: Service) {
  return {
    latestCreatedRevisionName: latestCreated,
    ...(latestReady && { latestReadyRevisionName: latestReady }),
  };
}

function routeStatus({ actual, tagUris, uri }: Service) {
  const traffic = actual.map((target) => ({
    ...toTarget(target),
    ...(target.tag && { url: tagUris[target.tag] }),
  }));
  return { traffic, ...(uri && { url: uri, address: { url: uri } }) };
}

/** A revision as Cloud Run's v1 API shows it. */
export function knativeRevision(service: Service, revision: Revision): object {
  const { metadata, spec } = toTemplate(revision.template);
  return {
    apiVersion,
    kind: 'Revision',
    metadata: {
      name: revision.id,
      namespace: service.project,
      selfLink: selfLink(service, 'revisions', revision.id),
      uid: revision.uid,
      resourceVersion: formatResourceVersion(Date.parse(revision.updateTime) * 1000),
      generation: 1,
      creationTimestamp: revision.createTime,
      labels: { ...metadata?.labels, ...revisionLabels(service, revision) },
      annotations: metadata?.annotations,
      ownerReferences: [
        {
          ...{ apiVersion, kind: 'Configuration', name: service.service, uid: service.uid },
          ...{ controller: true, blockOwnerDeletion: true },
        },
      ],
    },
    spec,
    status: {
      observedGeneration: 1,
      serviceName: service.service,
      conditions: revision.conditions.map(toCondition),
      ...(revision.image && { imageDigest: revision.image }),
    },
  };
}

/** What a label selector can ask for. */
export function revisionLabels(service: Service, { template }: Revision): Record<string, string> {
  return {
    ...template.labels,
    [label('service')]: service.service,
    [label('configuration')]: service.service,
    [label('route')]: service.service,
    [label('serviceUid')]: service.uid,
    [locationLabel]: service.location,
  };
}

function selfLink({ project }: Service, collection: string, name: string): string {
  return `/apis/${apiVersion}/namespaces/${project}/${collection}/${name}`;
}
