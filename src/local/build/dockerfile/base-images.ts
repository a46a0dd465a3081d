import { findProgram } from '../npm.ts';

/** What an image starts from: no files, since this machine's own system stands in for them. */
export type BaseImage = {
  env: Record<string, string>;
  entrypoint: string[];
  command: string[];
  /** Said in the build's log. */
  note: string;
};

const empty: BaseImage = { env: {}, entrypoint: [], command: [], note: '' };
const nodeNote = `this machine's Node.js ${process.version}`;

const bases: { image: RegExp; base: BaseImage; needs?: string }[] = [
  { image: /^node$/, base: { ...empty, command: ['node'], note: nodeNote } },
  {
    image: /^gcr\.io\/distroless\/nodejs\d*(-debian\d+)?$/,
    base: { ...empty, entrypoint: ['node'], note: nodeNote },
  },
  {
    image: /^python$/,
    base: { ...empty, command: ['python3'], note: "this machine's Python" },
    needs: 'python3',
  },
  {
    image: /^gcr\.io\/distroless\/python3(-debian\d+)?$/,
    base: { ...empty, entrypoint: ['python3'], note: "this machine's Python" },
    needs: 'python3',
  },
  {
    image: /^(debian|ubuntu|alpine|busybox|bash|gcr\.io\/distroless\/(static|base|cc)(-debian\d+)?)$/,
    base: { ...empty, command: ['sh'], note: "this machine's own system" },
  },
  { image: /^scratch$/, base: empty },
];

/** undefined: the local cloud has nothing that stands in for it. */
export function findBaseImage(reference: string): BaseImage | undefined {
  const name = reference
    .replace(/^((?:[^/]+\/)*[^/:@]+)[^/]*$/, '$1')
    .replace(/^(mirror\.gcr\.io|(index\.)?docker\.io)\/(library\/)?/, '');
  const found = bases.find(({ image }) => image.test(name));
  return found && (found.needs === undefined || findProgram(found.needs)) ? found.base : undefined;
}
