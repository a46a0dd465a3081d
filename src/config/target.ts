import type { SecretRef, ServiceRef } from '../cloud/ports/index.ts';
import type { StartupFormats } from '../startup/formats.ts';
import type { CheckSpec } from './check-spec.ts';

/** One service in one environment, fully resolved: placeholders filled, overrides applied, rules passed. */
export type Target = {
  /** The key under `services:` in sluice.yaml. */
  key: string;
  environment: string;
  ref: ServiceRef;
  cloud: 'google' | 'local';
  /** The environment's own URL (a custom domain); without it, the one Cloud Run gives. */
  url?: string;
  /** Absolute path of the source folder. */
  sourceDir: string;
  build: BuildSpec;
  container: ContainerSpec;
  /** Plain variables, the allowed e2e ones included. */
  env: Record<string, string>;
  secrets: Record<string, SecretRef>;
  cloudSql: string[];
  e2e: { env: Record<string, string>; headers: Record<string, string> };
  startup: StartupSpec;
  rollout: RolloutSpec;
  checklist: CheckSpec[];
  /** The database schema that the code needs, as the plan and a rollback see it. */
  schema?: { version: string; note?: string; backwardsCompatible?: boolean };
};

type BuildSpec = {
  /** Without tag or digest: `us-central1-docker.pkg.dev/P/cloud-run-source-deploy/chat`. */
  repository: string;
  /** A given image: no build. */
  image?: string;
  timeoutSeconds: number;
  serviceAccount?: string;
  logsBucket?: string;
};

export type ContainerSpec = {
  port: number;
  cpu: string;
  memory: string;
  concurrency: number;
  timeoutSeconds: number;
  minInstances: number;
  maxInstances: number;
  cpuBoost: boolean;
  public: boolean;
  /** '' leaves Cloud Run's default. */
  serviceAccount: string;
  labels: Record<string, string>;
};

export type StartupSpec = {
  formats: StartupFormats;
  /** Names of phases that must complete; empty = none demanded. */
  phases: string[];
  systems: { required: string[]; optional: string[] };
  /** Seconds; `phases` by phase name. */
  budgets: { total?: number; phases: Record<string, number> };
  /** Quiet time after the last good news, in which late lines may arrive. */
  quietSeconds: number;
  deadlineSeconds: number;
};

export type RolloutSpec = {
  /** Percent of the traffic, ascending, ending in 100. */
  steps: number[];
  bakeSeconds: number;
  /** Answers in a row that must come from the right revision. */
  answers: number;
  trafficDeadlineSeconds: number;
  /** A response whose JSON field carries K_REVISION; without it the request log is asked by trace id. */
  identity: { path: string; field?: string };
};
