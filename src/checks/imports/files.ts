import { posix } from 'node:path';

const extensions = ['.js', '.mjs', '.cjs', '.jsx', '.ts', '.tsx', '.mts', '.cts', '.d.ts', '.json', '.node'];

/** TypeScript is imported by the name that it will be compiled to. */
const sources: Record<string, readonly string[]> = {
  '.js': ['.ts', '.tsx', '.d.ts'],
  '.jsx': ['.tsx', '.d.ts'],
  '.mjs': ['.mts', '.d.mts'],
  '.cjs': ['.cts', '.d.cts'],
};

/** The paths that an import of `path` may mean to Node, TypeScript or a bundler; the likeliest first. */
export function candidates(path: string): string[] {
  const extension = posix.extname(path);
  const stem = path.slice(0, path.length - extension.length);
  return [
    path,
    ...(sources[extension] ?? []).map((other) => stem + other),
    ...extensions.map((other) => path + other),
    ...extensions.map((other) => posix.join(path, `index${other}`)),
    posix.join(path, 'package.json'),
  ];
}

const code = /(?<!\.d)\.([cm]?js|[cm]?ts|jsx|tsx)$/;

/** A file of JavaScript or TypeScript, declarations of types apart. */
export function isCode(path: string): boolean {
  return code.test(path);
}
