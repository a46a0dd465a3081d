import { refused, type StepRequest } from '../schema.ts';
import { planDocker, planKaniko } from './docker-cli.ts';
import { planPack } from './pack-cli.ts';
import type { StepWork } from './planned.ts';

/** A builder whose one program the local cloud plays itself. */
type Played = { program: string[]; plan(args: readonly string[]): StepWork };
/** A builder that only brings tools along: this machine's are run in their place. */
type Toolbox = { tool: string; command(args: readonly string[]): string[] };

const played: Readonly<Record<string, Played>> = {
  'gcr.io/cloud-builders/docker': { program: ['docker'], plan: planDocker },
  'gcr.io/k8s-skaffold/pack': { program: ['pack'], plan: planPack },
  'gcr.io/kaniko-project/executor': { program: ['/kaniko/executor'], plan: planKaniko },
};

type StepCommand = Pick<StepRequest, 'name' | 'args'> & {
  entrypoint?: string;
  script?: string;
};

/** An image without an entrypoint runs its arguments; with none it runs a shell that has nothing to do. */
const plain = (args: readonly string[]) => (args.length > 0 ? [...args] : ['true']);
const always = (program: string) => (args: readonly string[]) => [program, ...args];
/** As the entrypoints of Docker's official images do: what is no command is for the image's own program. */
const unlessCommand = (program: string, commands: RegExp) => (args: readonly string[]) =>
  commands.test(args[0] ?? '') ? [...args] : [program, ...args];

const shells = /^(sh|bash|env|\/bin\/(ba)?sh|\/usr\/bin\/env)$/;
const node: Toolbox = {
  tool: `Node.js ${process.version}`,
  command: unlessCommand('node', /^(node|npm|npx|sh|bash|env|\/bin\/(ba)?sh)$/),
};
const python: Toolbox = { tool: "this machine's Python", command: plain };
const shell: Toolbox = { tool: "this machine's shell", command: plain };

const toolboxes: Readonly<Record<string, Toolbox>> = {
  'gcr.io/cloud-builders/npm': { tool: node.tool, command: always('npm') },
  'gcr.io/cloud-builders/node': node,
  node,
  python,
  bash: { tool: shell.tool, command: unlessCommand('bash', shells) },
  ubuntu: shell,
  debian: shell,
  alpine: shell,
  busybox: shell,
};

/** What a step does, by the image of its builder. Throws INVALID_ARGUMENT for a builder that is not known here. */
export function planWork(step: StepCommand): StepWork {
  const image = shortName(step.name);
  const known = Object.hasOwn(played, image) ? played[image] : undefined;
  if (known) return planPlayed(step, known);
  const toolbox = Object.hasOwn(toolboxes, image) ? toolboxes[image] : undefined;
  if (!toolbox) {
    const all = [...Object.keys(played), ...Object.keys(toolboxes)].join(', ');
    throw refused(`the local cloud has no builder '${step.name}'; it has ${all}`);
  }
  const [program = 'true', ...args] = commandOf(step, toolbox);
  return {
    kind: 'process',
    command: [program, ...args],
    ...(step.script !== undefined && { script: step.script }),
    tool: toolbox.tool,
  };
}

function planPlayed({ name, entrypoint, args, script }: StepCommand, { program, plan }: Played) {
  if (script !== undefined) throw refused(`the local cloud runs no script in '${name}'`);
  if (entrypoint !== undefined && !program.includes(entrypoint))
    throw refused(
      `the local cloud supports only the entrypoint '${program[0]}' of '${name}', not '${entrypoint}'`,
    );
  return plan(args);
}

/** A script without a `#!` line is bash's, as in Cloud Build. */
function commandOf({ entrypoint, args, script }: StepCommand, toolbox: Toolbox): string[] {
  if (script !== undefined) {
    if (entrypoint !== undefined || args.length > 0)
      throw refused('a step with a script can have neither args nor an entrypoint');
    return /^#!\s*(\S[^\n]*)/.exec(script)?.[1]?.trim().split(/\s+/) ?? ['bash'];
  }
  return entrypoint === undefined ? toolbox.command(args) : [entrypoint, ...args];
}

/** Without tag and digest, and without the registry that an official image has by default. */
function shortName(image: string): string {
  return image
    .replace(/^((?:[^/]+\/)*[^/:@]+)[^/]*$/, '$1')
    .replace(/^(mirror\.gcr\.io|(index\.)?docker\.io)\/(library\/)?/, '');
}
