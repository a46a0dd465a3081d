import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream';
import type { Instances } from './instances.ts';
import { parseConnectionName } from './names.ts';

/** Cloud Run's quota for an instance of a service and a Cloud SQL instance. */
const maxConnections = 100;
/** A service that tries again without a pause is not told each time. */
const quietMs = 100;

const guides = ['mysql', 'postgres', 'sqlserver'].map(
  (engine) => `https://cloud.google.com/sql/docs/${engine}/connect-run`,
);
const preface = `Cloud SQL connection failed. Please see ${guides.slice(0, -1).join(', ')}, or ${guides.at(-1)} for additional details:`;

/**
 * What `CloudSql.attach` says. As Cloud Run's own proxy does, it takes every connection, and closes one that cannot be
 * made. `folder` is the attachment's own, and short: a socket is bound by a path of at most 107 bytes.
 */
export async function attach(
  instances: Instances,
  folder: string,
  names: readonly string[],
  { say, gone }: { say(line: string): void; gone: AbortSignal },
): Promise<Record<string, string>> {
  const opened = await Promise.all(
    names.map(async (name, index) => {
      const own = path.join(folder, String(index));
      await mkdir(own, { recursive: true });
      return { name, own, end: await listen(instances, name, path.join(own, '.s.PGSQL.5432'), say) };
    }),
  );
  const close = () => {
    for (const { end } of opened) end();
    rmSync(folder, { recursive: true, force: true });
  };
  if (gone.aborted) close();
  else gone.addEventListener('abort', close, { once: true });
  return Object.fromEntries(opened.map(({ name, own }) => [name, own]));
}

/** Resolves with what ends the socket and its connections. */
async function listen(
  instances: Instances,
  name: string,
  file: string,
  say: (line: string) => void,
): Promise<() => void> {
  const target = parseConnectionName(name);
  const open = new Set<Socket>();
  let told = Number.NEGATIVE_INFINITY;
  const tell = (line: string) => {
    if (performance.now() - told < quietMs) return;
    told = performance.now();
    say(line);
  };

  const join = async (client: Socket) => {
    open.add(client);
    client.once('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    try {
      const upstream = connect(await instances.connect(target));
      pipeline(client, upstream, client, () => {
        client.destroy();
        upstream.destroy();
      });
    } catch (error) {
      tell(`${preface} ${error instanceof Error ? error.message : String(error)}`);
      // Read first: one that is closed on what it has sent sees a broken pipe instead of an end.
      client.once('data', () => client.end());
    }
  };

  const server: Server = createServer((client) => void join(client));
  server.maxConnections = maxConnections;
  server.on('drop', () => tell(`Exceeded maximum of ${maxConnections} connections per instance for ${name}`));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(file, resolve));
  return () => {
    server.close();
    for (const client of open) client.destroy();
  };
}
