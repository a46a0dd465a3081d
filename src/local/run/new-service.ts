import { randomUUID } from 'node:crypto';
import type { ServiceName } from './names.ts';
import { checkResources } from './resources.ts';
import type { Spec } from './schema.ts';
import { parseSpec } from './spec-fields.ts';
import type { Service } from './state.ts';
import { withDefaults } from './template.ts';
import { allToLatest, checkTraffic } from './traffic.ts';
import { checkVolumes } from './volumes.ts';

/** The spec with Cloud Run's defaults, checked as a whole. */
export function completeSpec(fields: Record<string, unknown>, name: ServiceName): Spec {
  const spec = parseSpec(fields);
  const traffic = spec.traffic ?? allToLatest;
  checkTraffic(name.service, traffic);
  const defaults = { launchStage: 'GA', ingress: 'INGRESS_TRAFFIC_ALL' } as const;
  const template = withDefaults(spec.template, name);
  checkResources(template);
  checkVolumes(template);
  return { ...defaults, ...spec, traffic, template };
}

/** A service before its first write. */
export function newService(name: ServiceName, spec: Spec): Service {
  const now = new Date();
  return {
    ...name,
    uid: randomUUID(),
    generation: 0,
    observedGeneration: 0,
    version: now.getTime() * 1000,
    createTime: now.toISOString(),
    updateTime: now.toISOString(),
    spec,
    revisions: [],
    lastNumber: 0,
    latestCreated: '',
    reconciling: true,
    conditions: [],
    actual: [],
    uri: '',
    tagUris: {},
    pending: [],
  };
}
