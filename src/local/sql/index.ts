import { mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Hono } from 'hono';
import type { CloudSql, LogSink } from '../contracts.ts';
import type { Journal } from '../journal/journal.ts';
import type { WebEnv } from '../web/env.ts';
import { Instances } from './instances.ts';
import type { findPostgres } from './postgres/binaries.ts';
import { sqlRoutes } from './routes.ts';
import { attach } from './sockets.ts';
import { openSqlState } from './state.ts';

export type SqlOptions = {
  home: string;
  journal: Journal;
  logs: LogSink;
  findPostgres?: typeof findPostgres;
};

export type SqlBackend = CloudSql & { routes: Hono<WebEnv>; stop(): Promise<void> };

/** Cloud SQL: instances that are real Postgres servers, none of which runs before it is needed. */
export function openSql(options: SqlOptions): SqlBackend {
  const state = openSqlState(options.journal);
  const short = openShortFolder(options.home);
  const instances = new Instances({ ...options, state, short: short.path });
  let attached = 0;
  return {
    routes: sqlRoutes({ instances, state }),
    attach: (names, owner) => {
      attached += 1;
      return attach(instances, path.join(short.path(), `a${attached}`), names, owner);
    },
    async stop() {
      await instances.stop();
      short.remove();
    },
  };
}

const prefix = 'sluice-sql-';

/**
 * A folder for sockets, whose paths must be short, made at its first use. A link in the home remembers it, so that
 * what a crash leaves behind goes at the next start.
 */
function openShortFolder(home: string) {
  const link = path.join(home, 'sql-sockets');
  let folder: string | undefined;
  removeLinked(link);
  return {
    path() {
      if (folder) return folder;
      const parent = tmpdir().length <= 32 ? tmpdir() : '/tmp';
      folder = mkdtempSync(path.join(parent, prefix));
      symlinkSync(folder, link);
      return folder;
    },
    remove() {
      if (folder) removeLinked(link);
    },
  };
}

function removeLinked(link: string): void {
  try {
    const folder = readlinkSync(link);
    if (path.basename(folder).startsWith(prefix)) rmSync(folder, { recursive: true, force: true });
  } catch {
    // There is none.
  }
  rmSync(link, { force: true });
}
