import { existsSync } from 'node:fs';
import path from 'node:path';
import type { PackageJson } from './package-json.ts';

export type Launch = { command: string[] /** What the build log says of it. */; said: string };

/** How the service starts: Procfile, start script, `main`, server.js or index.js; undefined when none of these is there. */
export function findLaunch(
  root: string,
  manifest: PackageJson,
  procfile: string | undefined,
): Launch | undefined {
  const web = procfile === undefined ? undefined : /^web:\s*(\S.*?)\s*$/m.exec(procfile)?.[1];
  if (web !== undefined) return fromScript(root, web, 'Procfile');
  const start = manifest.scripts['start'];
  if (start !== undefined) {
    const hooks = ['prestart', 'poststart'].filter((name) => name in manifest.scripts);
    if (hooks.length > 0) {
      return { command: ['npm', 'run', 'start'], said: `npm run start (because of ${hooks.join(', ')})` };
    }
    return fromScript(root, start, 'the start script');
  }
  const file = [manifest.main, 'server.js', 'index.js'].find(
    (name) => name !== undefined && existsSync(path.join(root, name)),
  );
  return file === undefined ? undefined : { command: ['node', file], said: `node ${file}` };
}

/** Plain words are run as they are; what needs a shell gets the one npm would use. */
function fromScript(root: string, script: string, origin: string): Launch {
  const words = splitWords(script);
  const [first] = words ?? [];
  if (!words || first === undefined) {
    return { command: ['sh', '-c', script], said: `sh -c '${script}' (${origin} needs a shell)` };
  }
  const binary = `node_modules/.bin/${first}`;
  const command = existsSync(path.join(root, binary)) ? [`./${binary}`, ...words.slice(1)] : words;
  return { command, said: `${command.join(' ')} (from ${origin})` };
}

/** The words of a command without any shell syntax; undefined when it has some. */
export function splitWords(script: string): string[] | undefined {
  const word =
    /\s*(?:"([^"$`\\]*)"|'([^']*)'|([^\s"'$`\\|&;<>()*?[\]{}~#!=]+(?:=[^\s"'$`\\|&;<>()*?[\]{}~#!]*)?))(?=\s|$)/y;
  const text = script.trim();
  const words: string[] = [];
  while (word.lastIndex < text.length) {
    const match = word.exec(text);
    if (!match) return undefined;
    words.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  // `NAME=value command` sets a variable.
  return words[0]?.includes('=') ? undefined : words;
}
