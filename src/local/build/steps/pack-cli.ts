import { parseReference } from '../image-store.ts';
import { refused } from '../schema.ts';
import { keyValues, readCommandLine } from './command-line.ts';
import type { StepWork } from './planned.ts';

const builders = ['gcr.io/buildpacks/builder:latest', 'gcr.io/buildpacks/builder'];
/** What Google's buildpacks are told by the environment, as far as it is honoured or changes nothing here. */
const knownVariables = /^GOOGLE_(ENTRYPOINT|LABEL_[A-Z0-9_]+)$/;

/** `pack build IMAGE` with Google's builder, and the step before it that names this builder. */
export function planPack([command, ...args]: readonly string[]): StepWork {
  if (command === 'config') return planConfig(args);
  if (command !== 'build')
    throw refused(`the local cloud supports only 'pack build', not 'pack ${command ?? ''}'`);
  const { values, positionals } = readCommandLine('pack build', args, {
    builder: { type: 'string', short: 'B' },
    network: { type: 'string' },
    publish: { type: 'boolean' },
    env: { type: 'string', multiple: true, short: 'e' },
    path: { type: 'string', short: 'p' },
  });
  const [image, ...more] = positionals;
  if (image === undefined) throw refused("'pack build' needs the name of an image");
  if (more.length > 0) throw refused(`the local cloud does not support the argument '${more[0]}' of pack`);
  if (!parseReference(image)) throw refused(`invalid image name '${image}'`);
  checkBuilder(values.builder ?? builders[0]);
  const network = values.network ?? 'cloudbuild';
  if (network !== 'cloudbuild')
    throw refused(`the local cloud supports only --network cloudbuild, not '${network}'`);
  const env = keyValues(values.env ?? [], '--env');
  checkBuildVariables(Object.keys(env));
  return { kind: 'pack', image, path: values.path ?? '.', env };
}

/** Throws INVALID_ARGUMENT for a variable by which a buildpack would do what the local cloud does not. */
function checkBuildVariables(names: readonly string[]): void {
  const unknown = names.find((name) => name.startsWith('GOOGLE_') && !knownVariables.test(name));
  if (unknown !== undefined)
    throw refused(`the local cloud's buildpacks do not support the variable ${unknown}`);
}

function planConfig([what, builder, ...more]: readonly string[]): StepWork {
  if (what !== 'default-builder' || more.length > 0)
    throw refused(`the local cloud does not support 'pack config ${what ?? ''}'`);
  checkBuilder(builder);
  return { kind: 'pack-config' };
}

function checkBuilder(builder: string | undefined): void {
  if (builder === undefined || !builders.includes(builder))
    throw refused(`the local cloud supports only --builder ${builders[0]}, not '${builder ?? ''}'`);
}
