import type { LiveRevision, LiveService, Template, TrafficTarget } from '../../src/cloud/ports/index.ts';
import type { Target } from '../../src/config/target.ts';

export const image = 'r.example/p/chat@sha256:aaaa';

export function sampleTarget(changes: Partial<Target> = {}): Target {
  return {
    key: 'chat',
    environment: 'staging',
    ref: { project: 'p', region: 'us-central1', service: 'chat' },
    cloud: 'local',
    sourceDir: '/src',
    build: { repository: 'r.example/p/chat', timeoutSeconds: 600 },
    container: {
      port: 8080,
      cpu: '1',
      memory: '512Mi',
      concurrency: 80,
      timeoutSeconds: 300,
      minInstances: 0,
      maxInstances: 10,
      cpuBoost: true,
      public: true,
      serviceAccount: '',
      labels: { team: 'chat' },
    },
    env: { LOG_LEVEL: 'info' },
    secrets: {},
    cloudSql: [],
    e2e: { env: {}, headers: {} },
    startup: {
      formats: [],
      phases: ['INIT', 'READY'],
      systems: { required: ['Database'], optional: [] },
      budgets: { phases: {} },
      quietSeconds: 1,
      deadlineSeconds: 60,
    },
    rollout: {
      steps: [100],
      bakeSeconds: 0,
      answers: 3,
      trafficDeadlineSeconds: 30,
      identity: { path: '/health', field: 'revision' },
    },
    checklist: [],
    ...changes,
  };
}

/** The template that `sampleTarget` wishes for. */
export function sampleTemplate(changes: Partial<Template> = {}): Template {
  return {
    image,
    env: { LOG_LEVEL: 'info' },
    secrets: {},
    cloudSql: [],
    port: 8080,
    cpu: '1',
    memory: '512Mi',
    concurrency: 80,
    timeoutSeconds: 300,
    maxInstances: 10,
    cpuBoost: true,
    serviceAccount: 'default@p',
    labels: { team: 'chat' },
    ...changes,
  };
}

export function sampleRevision(name: string, changes: Partial<LiveRevision> = {}): LiveRevision {
  return {
    name,
    service: 'chat',
    template: sampleTemplate(),
    annotations: {},
    conditions: [],
    ready: 'yes',
    createdAt: '2026-01-01T00:00:00Z',
    ...changes,
  };
}

/** A service that serves `traffic`, really. */
export function sampleLive(traffic: TrafficTarget[], changes: Partial<LiveService> = {}): LiveService {
  return {
    ref: { project: 'p', region: 'us-central1', service: 'chat' },
    etag: '"1"',
    generation: '1',
    observedGeneration: '1',
    reconciling: false,
    uri: 'https://chat.example',
    template: sampleTemplate(),
    templateRevision: 'chat-1',
    foreign: [],
    annotations: {},
    traffic,
    actualTraffic: traffic,
    conditions: [],
    latestReadyRevision: 'chat-1',
    latestCreatedRevision: 'chat-1',
    public: true,
    openedByPolicy: false,
    minInstances: 0,
    raw: {},
    ...changes,
  };
}
