import path from 'node:path';
import type { RunnableRevision } from '../contracts.ts';
import type { Host } from './instance.ts';
import type { InstanceLog } from './instance-log.ts';
import {
  commandLine,
  imageMounts,
  instanceEnvironment,
  openSandbox,
  type Sandbox,
  whyNotExecutable,
} from './sandbox.ts';
import { cannotExecuteLine, notMountedLine } from './system-lines.ts';
import { namespaceArguments, rewriter } from './view.ts';
import { type Mount, openVolumes, secretEnvironment } from './volumes.ts';

export type Prepared = { argv: string[]; cwd: string; env: Record<string, string> };

/** All that an instance's process is started with; undefined, and said in the log, when there is nothing to execute. */
export async function prepare(
  host: Host,
  revision: RunnableRevision,
  own: { folder: string; port: number; log: InstanceLog; gone: AbortSignal },
): Promise<Prepared | undefined> {
  const sandbox = await openSandbox(own.folder, revision.image.root);
  const say = (text: string) => own.log.system({ severity: 'ERROR', text });
  const volumes = await openVolumes(own.folder, revision.volumes, { ...host, say, gone: own.gone });
  const { workdir } = revision.image;
  const mounts = [...(workdir === undefined ? [] : await imageMounts(sandbox.cwd)), ...volumes];
  const cwd = workdir ?? sandbox.cwd;
  const { launcher, rewrite } = await openView(host, { ...sandbox, cwd }, mounts, own.log);
  const given = { ...revision.image.env, ...revision.env, ...secretEnvironment(revision, host.secrets) };
  const variables = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, rewrite(value)]));
  const env = instanceEnvironment(revision, variables, sandbox, own.port, host.searchPath);
  const argv = commandLine(revision).map(rewrite);
  const [command = ''] = argv;
  const searchPath = env['PATH'] ?? '';
  const why = await whyNotExecutable(command, cwd, searchPath, rewriter(mounts));
  if (why) own.log.system(cannotExecuteLine(command, searchPath, why));
  return why ? undefined : { argv: [...launcher, ...argv], cwd: path.join(sandbox.cwd, workdir ?? ''), env };
}

/** What is put before the command line, and what becomes of texts that may name the path of a mount. */
async function openView(host: Host, { root, cwd }: Sandbox, mounts: Mount[], log: InstanceLog) {
  const asItIs = (text: string) => text;
  if (mounts.length === 0) return { launcher: await host.launcher, rewrite: asItIs };
  const launcher = await host.mountingLauncher();
  if (launcher) {
    return { launcher: [...launcher, ...(await namespaceArguments(root, cwd, mounts))], rewrite: asItIs };
  }
  for (const mount of mounts) log.system(notMountedLine(mount));
  return { launcher: await host.launcher, rewrite: rewriter(mounts) };
}
