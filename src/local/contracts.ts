/** What the parts of the local cloud know of each other. Everything else goes over the wire. */

/** A log line on its way into the store, by revision (Cloud Run) or build (Cloud Build). */
export type NewLogEntry = {
  logName: string;
  resource: { type: string; labels: Record<string, string> };
  labels?: Record<string, string>;
  severity?: string;
  timestamp?: Date;
  textPayload?: string;
  jsonPayload?: Record<string, unknown>;
  httpRequest?: {
    requestMethod: string;
    requestUrl: string;
    status: number;
    responseSize: number;
    userAgent: string;
    remoteIp: string;
    latencySeconds: number;
    protocol: string;
  };
  trace?: string;
  spanId?: string;
};

export type LogSink = { write(entry: NewLogEntry): void };

/** An image as the local cloud runs it: a folder and how to start what is in it. */
export type LocalImage = {
  /** `sha256:…` over the content, the command and the image's own environment. */
  digest: string;
  /** Absolute path of the unpacked, read-only content. */
  root: string;
  command: string[];
  /** The beginning of `command` that a service's own arguments follow, in place of the rest. */
  entrypoint?: string[];
  env: Record<string, string>;
  /** Absolute path in the image: `root` is then laid over this machine's own system. Absent: `root` is all of it. */
  workdir?: string;
};

export type ImageStore = {
  /** By `REPO@sha256:…` or `REPO:tag`. */
  resolve(reference: string): LocalImage | undefined;
};

/** One version of a secret: a number, `latest`, or an alias of the secret's own. */
export type SecretRef = { project: string; secret: string; version: string };

/** What Secret Manager is to a revision. */
export type SecretReader = {
  /** `refused` says why, without a word of any value. */
  read(ref: SecretRef): { data: Buffer } | { refused: string };
};

export type Probe = {
  kind: 'tcp' | 'http' | 'default';
  path: string;
  port: number;
  httpHeaders: { name: string; value: string }[];
  initialDelaySeconds: number;
  periodSeconds: number;
  timeoutSeconds: number;
  failureThreshold: number;
};

/** What an instance's process finds at a path (absolute, in the notation of the container). */
export type MountedVolume = { path: string } & (
  | { kind: 'secret'; files: { path: string; mode: number; ref: SecretRef }[] }
  /** Empty at the start of each instance, and its own. */
  | { kind: 'scratch'; name: string }
  /** By connection names, `PROJECT:REGION:INSTANCE`: a folder of each with the socket in it. */
  | { kind: 'cloudSql'; instances: string[] }
);

/** A revision's name is its own only within its service. */
export type RevisionRef = { project: string; location: string; service: string; revision: string };

/** What the runtime must know to run a revision. */
export type RunnableRevision = RevisionRef & {
  image: LocalImage;
  containerName: string;
  /** Replace the image's own command. */
  command: string[];
  args: string[];
  env: Record<string, string>;
  /** By variable; read at the start of each instance. */
  secretEnv: Record<string, SecretRef>;
  volumes: MountedVolume[];
  port: number;
  startupProbe: Probe;
  livenessProbe?: Probe;
  concurrency: number;
  timeoutSeconds: number;
  maxInstances: number;
  /** Kept alive while the revision is routed to. */
  minInstances: number;
  /** A client goes to the instance that answered it before, as long as that has room. */
  sessionAffinity: boolean;
};

export type CloudSql = {
  /**
   * Makes a socket for each connection name and tells the folder that it is in, as `.s.PGSQL.5432`; they go when the
   * signal aborts. An instance is not waited for: that one is missing shows when somebody connects, by a line to `say`.
   */
  attach(
    names: readonly string[],
    owner: { say(line: string): void; gone: AbortSignal },
  ): Promise<Record<string, string>>;
};

export type DeployReport =
  | { ready: true }
  /** `reason` is a RevisionReason, `message` Cloud Run's own sentence (without the `Revision 'X' …` prefix). */
  | { ready: false; reason: string; message: string };

export type InstanceStart = 'DEPLOYMENT_ROLLOUT' | 'AUTOSCALING' | 'MANUAL_OR_CUSTOMER_MIN_INSTANCE';

export type Runtime = {
  /** Starts one instance for the deployment's health check and reports as Cloud Run does. */
  deploy(revision: RunnableRevision): Promise<DeployReport>;
  /** Makes a stored revision known again (after a restart) without starting it. */
  register(revision: RunnableRevision): void;
  /** A running instance's port, started for the request if there is none. Throws when it cannot start. */
  acquire(
    revision: RevisionRef,
    /** Where the client was before; taken when it lives and has room. */
    preferredInstance?: string,
  ): Promise<{
    port: number;
    instanceId: string;
    timeoutSeconds: number;
    sessionAffinity: boolean;
    /** Aborts when the instance has exited. */
    gone: AbortSignal;
    release(): void;
  }>;
  /** How many instances must live now (0 = scale to zero is allowed). */
  keep(revision: RevisionRef, minimum: number): void;
  /** How long an instance may be without a request before it is stopped, from now on. */
  setIdleTimeout(milliseconds: number): void;
  remove(revision: RevisionRef): Promise<void>;
  stop(): Promise<void>;
};

export type Route = {
  project: string;
  location: string;
  service: string;
  /** False: a request needs an ID token that this local cloud minted. */
  public: boolean;
  /** False: nobody is let in, because nobody is inside; the local cloud has no VPC. */
  reachable: boolean;
  /** Effective split: percents sum to 100, or empty while nothing is ready. */
  split: { revision: string; percent: number }[];
  tags: { tag: string; revision: string }[];
};

export type Router = {
  /** Applies a service's routes; returns the URLs. Ports stay the same for a service or tag as long as it lives. */
  apply(route: Route): Promise<{ uri: string; tagUris: Record<string, string> }>;
  remove(service: { project: string; location: string; service: string }): Promise<void>;
  stop(): Promise<void>;
};

/** `invalid`: malformed, expired, for another audience, or not minted here. */
type TokenVerdict = 'opens' | 'missing' | 'invalid';

/** Mints and verifies the ID tokens that a private service asks for. */
export type TokenAuthority = {
  mint(audience: string, email: string): string;
  /** Does this `Authorization` header open a service with one of these URLs? */
  judge(authorization: string | undefined, audiences: string[]): TokenVerdict;
};
