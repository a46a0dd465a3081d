import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ImageStore } from '../../src/local/contracts.ts';

const sources = {
  good: `process.on('SIGTERM', process.exit);
    require('http')
      .createServer((q, s) => s.end(q.url === '/port' ? process.env.PORT : process.env.K_REVISION))
      .listen(process.env.PORT)`,
  shows: `const fs = require('fs');
    const texts = { '/env': () => JSON.stringify(process.env), '/file': () => fs.readFileSync(process.env.KEY_FILE) };
    require('http').createServer((q, s) => s.end(texts[q.url]())).listen(process.env.PORT)`,
  exits: 'process.exit(3)',
  silent: 'setInterval(() => {}, 1000)',
};

/** Images beside a home: one answers with its revision's name, one shows what it was given, one exits at once, one never listens. */
export function programs(home: string): ImageStore {
  const folder = path.join(path.dirname(home), 'image');
  mkdirSync(folder, { recursive: true });
  for (const [name, source] of Object.entries(sources))
    writeFileSync(path.join(folder, `${name}.js`), source);
  return {
    resolve(reference) {
      const name = Object.keys(sources).find((each) => reference.includes(`/${each}`));
      return name === undefined
        ? undefined
        : { digest: `sha256:${name}`, root: folder, command: [process.execPath, `${name}.js`], env: {} };
    },
  };
}
