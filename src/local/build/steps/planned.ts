/** What `docker build` and kaniko's executor are asked for. Paths are those that the step sees. */
export type DockerBuild = {
  context: string;
  /** Default: `Dockerfile` in the context. */
  dockerfile?: string;
  tags: string[];
  buildArgs: Record<string, string>;
  labels: Record<string, string>;
  /** The last stage to build. */
  target?: string;
  /** Pushed by the step itself, as kaniko does. */
  push: boolean;
};

/** What a step does, read from its builder's command line when the build is created. */
export type StepWork =
  | { kind: 'pack'; image: string; path: string; env: Record<string, string> }
  /** `pack config default-builder`: there is only one builder here. */
  | { kind: 'pack-config' }
  | ({ kind: 'docker-build' } & DockerBuild)
  | { kind: 'docker-push'; image: string }
  | { kind: 'docker-pull'; image: string }
  | { kind: 'docker-tag'; from: string; to: string }
  /** A process with this machine's own tools, in place of the builder's. */
  | {
      kind: 'process';
      command: readonly [string, ...string[]];
      /** The content of a file that the command gets as its last argument. */
      script?: string;
      /** What is run in the builder's place. */
      tool: string;
    };

/** A step, checked and with its substitutions made. */
export type PlannedStep = {
  index: number;
  /** The builder's image. */
  builder: string;
  /** Empty when it has none. */
  id: string;
  /** Indexes of the steps that must have ended before. */
  after: number[];
  env: Record<string, string>;
  /** Absolute, as the step sees it. */
  dir: string;
  timeoutMs?: number;
  allowFailure: boolean;
  allowExitCodes: number[];
  /** The fields of the BuildStep with their substitutions made. */
  sent: { name: string; args: string[]; env: string[]; dir: string; entrypoint?: string };
  work: StepWork;
};

/** As Cloud Build names a step in the log. */
export function stepTitle({ index, id }: Pick<PlannedStep, 'index' | 'id'>): string {
  return id === '' ? `Step #${index}` : `Step #${index} - "${id}"`;
}
