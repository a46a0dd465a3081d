import type { Plugin } from 'rolldown';

/** What TypeScript makes of an import when it compiles to CommonJS: `const grpc_1 = require("./grpc");` */
const importedModule = /^(?:const|var) (\w+_\d+) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm;
/** The same of `import * as`, whose name may be any; only where it pays. */
const importedProtos =
  /^const (\w+) = (__importStar\(require\("(?:@grpc\/proto-loader|\.\.\/protos\/\w+)"\)\));$/gm;

/** A library's module is set up when something of it is used: most of what oclif and the clients import never is. */
export const lazyRequires: Plugin = {
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
