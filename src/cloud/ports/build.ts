import type { Call } from './call.ts';
import type { SourceObject } from './storage.ts';

type BuildStep = {
  name: string;
  entrypoint?: string;
  args: string[];
  env?: string[];
  dir?: string;
};

export type BuildRequest = {
  project: string;
  region: string;
  source: SourceObject;
  steps: BuildStep[];
  images: string[];
  tags: string[];
  substitutions: Record<string, string>;
  timeoutSeconds: number;
  serviceAccount?: string;
  logsBucket?: string;
  /** CLOUD_LOGGING_ONLY needs no bucket; a custom service account needs it or a logsBucket. */
  cloudLoggingOnly: boolean;
};

export type BuildRef = { id: string; project: string; region: string; operation: string };

export type BuildState = {
  id: string;
  status:
    | 'PENDING'
    | 'QUEUED'
    | 'WORKING'
    | 'SUCCESS'
    | 'FAILURE'
    | 'INTERNAL_ERROR'
    | 'TIMEOUT'
    | 'CANCELLED'
    | 'EXPIRED'
    | 'STATUS_UNKNOWN';
  images: { name: string; digest: string }[];
  failure?: { type: string; detail: string };
  logUrl: string;
  /** Where `log-ID.txt` lies; '' when logs go to Cloud Logging only. */
  logsBucket: string;
};

export type BuildPort = {
  submit(request: BuildRequest, call: Call): Promise<BuildRef>;
  read(ref: BuildRef, call: Call): Promise<BuildState>;
  /** Waits until the build is over or the deadline passes, then reads it again (an operation's own copy is stale). */
  await(ref: BuildRef, call: Call): Promise<BuildState>;
  cancel(ref: BuildRef, call: Call): Promise<void>;
};
