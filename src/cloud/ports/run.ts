import type { Call } from './call.ts';

/** A Cloud Run service by its place: `projects/P/locations/R/services/S`. */
export type ServiceRef = { project: string; region: string; service: string };

export type TrafficTarget = {
  /** A revision's short name, or `LATEST` (the latest *ready* revision). */
  revision: string | 'LATEST';
  /** 0–100; all entries of a service sum to 100. */
  percent: number;
  tag?: string;
};

/** What Cloud Run really does now. For LATEST, `revision` is still `LATEST` here, as the API gives it. */
export type ObservedTraffic = TrafficTarget & { uri?: string };

export type Condition = {
  type: string;
  state: 'unspecified' | 'pending' | 'reconciling' | 'failed' | 'succeeded';
  message: string;
  /** CommonReason, RevisionReason or ExecutionReason, as the API spells it; '' when none. */
  reason: string;
};

export type SecretRef = { secret: string; version: string };

/** The part of a revision that Sluice can own, of its ingress container and template. */
export type Template = {
  image: string;
  env: Record<string, string>;
  secrets: Record<string, SecretRef>;
  /** `PROJECT:REGION:INSTANCE`, mounted at /cloudsql. */
  cloudSql: string[];
  port: number;
  /** Cloud Run's own spelling: `1`, `1000m`; `512Mi`. */
  cpu: string;
  memory: string;
  /** Requests at a time; 0 = Cloud Run's default. */
  concurrency: number;
  timeoutSeconds: number;
  maxInstances: number;
  cpuBoost: boolean;
  serviceAccount: string;
  labels: Record<string, string>;
};

export type LiveRevision = {
  name: string;
  service: string;
  template: Template;
  annotations: Record<string, string>;
  conditions: Condition[];
  /** The `Ready` condition boiled down. */
  ready: 'yes' | 'no' | 'not-yet';
  createdAt: string;
};

export type LiveService = {
  ref: ServiceRef;
  etag: string;
  generation: string;
  observedGeneration: string;
  reconciling: boolean;
  uri: string;
  template: Template;
  templateRevision: string;
  /** Names of containers, volumes and other things in the template that Sluice does not own. */
  foreign: string[];
  annotations: Record<string, string>;
  traffic: TrafficTarget[];
  actualTraffic: ObservedTraffic[];
  conditions: Condition[];
  latestReadyRevision: string;
  latestCreatedRevision: string;
  /** Anybody may call it: no invoker check is made (`invokerIamDisabled`), or its IAM policy lets everybody in. */
  public: boolean;
  /** It is the IAM policy that lets everybody in: `gcloud run deploy --allow-unauthenticated` does it that way. */
  openedByPolicy: boolean;
  /** Service-level minimum (`scaling.minInstanceCount`). */
  minInstances: number;
  /** The decoded message, to be changed and written back; opaque outside the adapter. */
  raw: unknown;
};

/** A change to a service: only what is named is touched, everything foreign stays. */
export type ServiceEdit = {
  template?: {
    revision: string;
    set: Partial<Omit<Template, 'env' | 'secrets' | 'labels'>>;
    env: { set: Record<string, string>; remove: string[] };
    secrets: { set: Record<string, SecretRef>; remove: string[] };
    labels: { set: Record<string, string>; remove: string[] };
    /** null removes. */
    annotations: Record<string, string | null>;
  };
  /** The whole desired traffic, foreign tags included. */
  traffic?: TrafficTarget[];
  /** Service annotations; null removes. */
  annotations?: Record<string, string | null>;
  public?: boolean;
  minInstances?: number;
};

export type OperationOutcome =
  | { state: 'done' }
  | { state: 'failed'; code: number; said: string }
  /** The wait's deadline passed; the operation goes on. */
  | { state: 'running' };

export type RunPort = {
  readService(ref: ServiceRef, call: Call): Promise<LiveService | undefined>;
  /** Returns the operation's name. Traffic at creation is 100 % to the named revision. */
  createService(ref: ServiceRef, edit: ServiceEdit, call: Call): Promise<string>;
  /** Writes `live.raw` with the edit applied, under `live.etag`, with the narrowest mask. Returns the operation's name. */
  updateService(live: LiveService, edit: ServiceEdit, call: Call): Promise<string>;
  /** Asks whether a create (live undefined) or an update would be accepted; makes nothing. Throws what it is refused with. */
  validate(ref: ServiceRef, live: LiveService | undefined, edit: ServiceEdit, call: Call): Promise<void>;
  deleteService(ref: ServiceRef, call: Call): Promise<string>;
  /** A long poll (WaitOperation), with polling as the fallback. */
  awaitOperation(operation: string, call: Call): Promise<OperationOutcome>;
  readRevision(ref: ServiceRef, revision: string, call: Call): Promise<LiveRevision | undefined>;
  /** Newest first, at most `limit`. */
  listRevisions(ref: ServiceRef, limit: number, call: Call): Promise<LiveRevision[]>;
};
