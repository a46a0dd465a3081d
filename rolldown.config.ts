// How the commands and the local cloud become `dist`: bundled, because resolving, reading and setting up some eight
// hundred modules one by one takes longer than all the rest of a deploy's own work.
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { defineConfig, type OutputOptions, type Plugin } from 'rolldown';
import { apiServices } from './src/cloud/api-services.ts';
import { reachableFrom } from './src/cloud/reachable.ts';

const entries = [...globSync('commands/**/*.ts'), 'src/main.ts', 'src/manifest.ts'];
const { resolve } = createRequire(import.meta.url);

/** What TypeScript makes of an import when it compiles to CommonJS: `const grpc_1 = require("./grpc");` */
const importedModule = /^(?:const|var) (\w+_\d+) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm;
/** The same of `import * as`, whose name may be any; only where it pays. */
const importedProtos =
  /^const (\w+) = (__importStar\(require\("(?:@grpc\/proto-loader|\.\.\/protos\/\w+)"\)\));$/gm;

/** A library's module is set up when something of it is used: most of what oclif and the clients import never is. */
const lazyRequires: Plugin = {
  name: 'lazy-requires',
  transform: {
    filter: { id: /node_modules/, code: /= (?:__import\w+\()?require\(/ },
    handler(code) {
      const names: string[] = [];
      const lazily = (_: string, name: string, required: string): string => {
        names.push(name);
        return `var ${name}$; function ${name}$get() { return ${name}$ ??= ${required}; }`;
      };
      const declared = code.replaceAll(importedModule, lazily).replaceAll(importedProtos, lazily);
      if (names.length === 0) return null;
      const any = names.join('|');
      const exported = new RegExp(`^exports\\.(\\w+) = (${any});$`, 'gm');
      // Not in quotes: an export may have its import's very name.
      const used = new RegExp(`(?<![\\w$.'])(${any})(?![\\w$'])`, 'g');
      const passedOn = declared.replaceAll(
        exported,
        (_, as: string, name: string) => `Object.defineProperty(exports, '${as}', { get: ${name}$get });`,
      );
      return { code: passedOn.replaceAll(used, '($1$$get())') };
    },
  },
};

/** Of each API's protos what its services reach: a command would prune them anyway, at each start. */
const prunedProtos: Plugin = {
  name: 'pruned-protos',
  transform: {
    filter: { id: /@google-cloud\/[\w-]+\/build\/protos\/protos\.json$/ },
    handler(code) {
      const pruned = JSON.stringify(reachableFrom(JSON.parse(code), Object.values(apiServices).flat()));
      return { code: `module.exports = JSON.parse(${JSON.stringify(pruned)});`, moduleType: 'js' };
    },
  },
};

/** The first comparison by locale loads ICU's tables, which takes half as long as Node's own start. */
const plainOrder: Plugin = {
  name: 'plain-order',
  transform: {
    filter: { id: /@oclif\/core\/lib\/config\/plugin\.js$/ },
    handler: (code) => code.replace('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)'),
  },
};

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
  // Comments are half of the generated code. Names stay, for who reads a stack trace.
  minify: { compress: true, mangle: false, codegen: true },
});

const commands = defineConfig({
  input: Object.fromEntries(entries.map((file) => [file.replace(/\.ts$/, ''), file])),
  platform: 'node',
  plugins: [lazyRequires, prunedProtos, plainOrder, packageType],
  resolve: {
    alias: {
      // As ES modules, of which only the parts that are used come along.
      yaml: resolve('yaml/package.json').replace('package.json', 'browser/index.js'),
      // As CommonJS, which shares its HTTP and authentication libraries with the other clients.
      '@google-cloud/storage': resolve('@google-cloud/storage'),
    },
  },
  output: output('src'),
});

const localCloud = defineConfig({
  input: { 'src/local/main': 'src/local/main.ts' },
  platform: 'node',
  output: output('src/local'),
});

export default [commands, localCloud];
