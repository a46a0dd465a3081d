// How the commands become `dist`: bundled, because resolving, reading and setting up some eight hundred modules one
// by one takes longer than all the rest of a deploy's own work. The local cloud is a process of its own and stays
// as tsc makes it.
import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { defineConfig, type Plugin } from 'rolldown';

const entries = [...globSync('commands/**/*.ts'), 'src/main.ts', 'src/manifest.ts'];
const { resolve } = createRequire(import.meta.url);

/** What TypeScript makes of an import when it compiles to CommonJS: `const grpc_1 = require("./grpc");` */
const importedModule = /^(?:const|var) (\w+_\d+) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm;

/** A library's module is set up when something of it is used: most of what oclif and the clients import never is. */
const lazyRequires: Plugin = {
  name: 'lazy-requires',
  transform: {
    filter: { id: /node_modules/, code: importedModule },
    handler(code) {
      const names: string[] = [];
      const lazy = code.replaceAll(importedModule, (_, name: string, required: string) => {
        names.push(name);
        return `var ${name}$; function ${name}$get() { return ${name}$ ??= ${required}; }`;
      });
      const uses = new RegExp(`(?<![\\w$.])(${names.join('|')})(?![\\w$])`, 'g');
      return { code: lazy.replaceAll(uses, '($1$$get())') };
    },
  },
};

export default defineConfig({
  input: Object.fromEntries(entries.map((file) => [file.replace(/\.ts$/, ''), file])),
  platform: 'node',
  plugins: [lazyRequires],
  transform: { define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } },
  resolve: {
    alias: {
      // As ES modules, of which only the parts that are used come along.
      yaml: resolve('yaml/package.json').replace('package.json', 'browser/index.js'),
      // As CommonJS, which shares its HTTP and authentication libraries with the other clients.
      '@google-cloud/storage': resolve('@google-cloud/storage'),
    },
  },
  output: {
    dir: 'dist',
    entryFileNames: '[name].js',
    // Beside main.js, so that a path from a module to the package's root is the same before and after.
    chunkFileNames: 'src/[name]-[hash].js',
  },
});
