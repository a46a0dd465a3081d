import { parseReference } from '../image-store.ts';
import { refused } from '../schema.ts';
import { keyValues, readCommandLine } from './command-line.ts';
import type { StepWork } from './planned.ts';

const text = { type: 'string' } as const;
const many = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean' } as const;

/** How an image is built here has no network to choose, no cache and no progress bar; the rest changes the image. */
const buildOptions = {
  tag: { ...many, short: 't' },
  file: { ...text, short: 'f' },
  'build-arg': many,
  label: many,
  target: text,
  platform: text,
  network: text,
  progress: text,
  'cache-from': many,
  'no-cache': flag,
  pull: flag,
  rm: flag,
  'force-rm': flag,
} as const;

/** `docker build | push | pull | tag`; every other command is refused by name. */
export function planDocker([command, ...args]: readonly string[]): StepWork {
  switch (command) {
    case 'build':
      return planBuild(args);
    case 'push':
      return { kind: 'docker-push', image: onlyImage('docker push', args) };
    case 'pull':
      return { kind: 'docker-pull', image: onlyImage('docker pull', args) };
    case 'tag': {
      const [from, to, ...more] = readCommandLine('docker tag', args, {}).positionals;
      if (!from || !to || more.length > 0) throw refused("'docker tag' requires exactly 2 arguments");
      return { kind: 'docker-tag', from: imageName(from), to: imageName(to) };
    }
    default:
      throw refused(`the local cloud does not support 'docker ${command ?? ''}'`);
  }
}

function planBuild(args: readonly string[]): StepWork {
  const { values, positionals } = readCommandLine('docker build', args, buildOptions);
  const [context, ...more] = positionals;
  if (context === undefined || more.length > 0) throw refused("'docker build' requires exactly 1 argument");
  if (/^[a-z]+:\/\/|^-$|^git@/.test(context))
    throw refused(`the local cloud builds from a folder only, not from '${context}'`);
  checkPlatform(values.platform);
  return {
    kind: 'docker-build',
    context,
    ...(values.file !== undefined && { dockerfile: values.file }),
    ...(values.target !== undefined && { target: values.target }),
    tags: (values.tag ?? []).map(imageName),
    buildArgs: keyValues(values['build-arg'] ?? [], '--build-arg'),
    labels: keyValues(values.label ?? [], '--label'),
    push: false,
  };
}

const kanikoOptions = {
  destination: { ...many, short: 'd' },
  dockerfile: { ...text, short: 'f' },
  context: { ...text, short: 'c' },
  'build-arg': many,
  label: many,
  target: text,
  customPlatform: text,
  cache: flag,
  'cache-ttl': text,
  'cache-dir': text,
  'cache-repo': text,
  'snapshot-mode': text,
  'use-new-run': flag,
  cleanup: flag,
  reproducible: flag,
} as const;

/** kaniko's executor: it builds, and pushes each destination itself. */
export function planKaniko(args: readonly string[]): StepWork {
  // Go takes `--cache=true`; here a switch has no value.
  const words = args.map((word) =>
    word.replace(/^(--(?:cache|use-new-run|cleanup|reproducible))=\w+$/, '$1'),
  );
  const { values, positionals } = readCommandLine('kaniko', words, kanikoOptions);
  if (positionals.length > 0) throw refused(`kaniko has no argument '${positionals[0]}'`);
  if (!values.destination) throw refused("the local cloud's kaniko needs a --destination");
  checkPlatform(values.customPlatform);
  const context = (values.context ?? '.').replace(/^dir:\/\//, '');
  if (context.includes('://'))
    throw refused(`the local cloud builds from a folder only, not from '${context}'`);
  return {
    kind: 'docker-build',
    context,
    // Unlike docker, kaniko looks for it in the context.
    ...(values.dockerfile !== undefined && { dockerfile: inContext(context, values.dockerfile) }),
    ...(values.target !== undefined && { target: values.target }),
    tags: values.destination.map(imageName),
    buildArgs: keyValues(values['build-arg'] ?? [], '--build-arg'),
    labels: keyValues(values.label ?? [], '--label'),
    push: true,
  };
}

function inContext(context: string, file: string): string {
  return file.startsWith('/') ? file : `${context}/${file}`;
}

function checkPlatform(platform = 'linux/amd64'): void {
  if (platform !== 'linux/amd64')
    throw refused(`the local cloud does not support the platform '${platform}'`);
}

function onlyImage(tool: string, args: readonly string[]): string {
  const [image, ...more] = readCommandLine(tool, args, { quiet: { ...flag, short: 'q' } }).positionals;
  if (image === undefined || more.length > 0) throw refused(`'${tool}' requires exactly 1 argument`);
  return imageName(image);
}

function imageName(name: string): string {
  if (!parseReference(name)) throw refused(`invalid image name "${name}"`);
  return name;
}
