import { homedir } from 'node:os';
import path from 'node:path';
import { isExecutable } from '../runtime/tools.ts';

/** What of the user's environment a build may see: where packages come from, and how to get there. */
const passedOn =
  /^(npm_config_(registry|globalconfig|cafile|ca|proxy|https_proxy|http_proxy|noproxy|strict_ssl)|https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_(file|dir)|lang|lc_all|tmpdir)$/i;

/** The environment of npm and of the build script: this process's Node first, HOME in the build's folder. */
export function buildEnvironment(
  from: NodeJS.ProcessEnv,
  folders: { home: string; npmCache: string },
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [key, value] of Object.entries(from))
    if (value !== undefined && passedOn.test(key)) env[key] = value;
  const userConfig = from['npm_config_userconfig'] ?? from['NPM_CONFIG_USERCONFIG'];
  return {
    ...env,
    PATH: searchPath(from).join(path.delimiter),
    HOME: folders.home,
    CI: 'true',
    npm_config_cache: folders.npmCache,
    npm_config_userconfig: userConfig ?? path.join(homedir(), '.npmrc'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
}

/** A program beside this Node, or in the user's PATH. */
export function findProgram(name: string, from: NodeJS.ProcessEnv = process.env): string | undefined {
  return searchPath(from)
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}

function searchPath(from: NodeJS.ProcessEnv): string[] {
  const inherited = (from['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(path.delimiter);
  // The folders that npm adds for a script of its own hold tools of another project.
  const own = inherited.filter((folder) => path.isAbsolute(folder) && !folder.includes('node_modules'));
  return [path.dirname(process.execPath), ...own];
}
