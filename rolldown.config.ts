// How the commands and the local cloud become `dist`: bundled, because resolving, reading and setting up some eight
// hundred modules one by one takes longer than all the rest of a deploy's own work.
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { defineConfig, type OutputOptions, type Plugin } from 'rolldown';
import { lazyRequires } from './bundling/lazy-requires.ts';
import { shortcuts } from './bundling/shortcuts.ts';
import { staticMessages } from './bundling/static-messages.ts';

const entries = [...globSync('commands/**/*.ts'), 'src/main.ts', 'src/manifest.ts'];
const { resolve } = createRequire(import.meta.url);

/** The package is of ES modules, and so are its sources. */
const packageType: Plugin = {
  name: 'package-type',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' });
  },
};

/** As CommonJS, which Node sets up in less time, and its built-in modules with it. */
const output = (chunks: string): OutputOptions => ({
  dir: 'dist',
  format: 'cjs',
  entryFileNames: '[name].js',
  // Beside main.js, so that a path from a module to the package's root is the same before and after.
  chunkFileNames: `${chunks}/[name]-[hash].js`,
});

const commands = defineConfig({
  input: Object.fromEntries(entries.map((file) => [file.replace(/\.ts$/, ''), file])),
  platform: 'node',
  plugins: [lazyRequires, staticMessages, shortcuts, packageType],
  resolve: {
    alias: {
      // As ES modules, of which only the parts that are used come along.
      yaml: resolve('yaml/package.json').replace('package.json', 'browser/index.js'),
      // As CommonJS, which shares its HTTP and authentication libraries with the other clients.
      '@google-cloud/storage': resolve('@google-cloud/storage'),
    },
  },
  output: {
    ...output('src'),
    // There is less to read at each start. Who wants to read a stack trace sets SLUICE_DEBUG=1 and sees the sources.
    minify: true,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
  // Lines stay where they are in what is transformed: libraries.
  checks: { sourcemapBroken: false },
});

const localCloud = defineConfig({
  input: { 'src/local/main': 'src/local/main.ts' },
  platform: 'node',
  output: {
    ...output('src/local'),
    // Comments are half of the generated code. Names stay, for who reads a stack trace in its log.
    minify: { compress: true, mangle: false, codegen: true },
  },
});

export default [commands, localCloud];
