import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type {
  LogSink,
  NewLogEntry,
  Probe,
  RunnableRevision,
  SecretReader,
} from '../../src/local/contracts.ts';

export const temporaryFolder = () => mkdtempSync(path.join(tmpdir(), 'sluice-runtime-'));

/** Keeps what is written, and lets a test wait for an entry. */
export class MemoryLog implements LogSink {
  readonly entries: NewLogEntry[] = [];
  #watchers = new Set<() => void>();

  write(entry: NewLogEntry): void {
    this.entries.push(entry);
    for (const watcher of this.#watchers) watcher();
  }

  texts(log: string): string[] {
    return this.of(log).map(({ textPayload }) => textPayload ?? '');
  }

  of(log: string): NewLogEntry[] {
    const name = encodeURIComponent(`run.googleapis.com/${log}`);
    return this.entries.filter(({ logName }) => logName.endsWith(`/${name}`));
  }

  /** Resolves with the first `count` entries of a log that match. */
  async seen(log: string, matches: (entry: NewLogEntry) => boolean, count = 1): Promise<NewLogEntry[]> {
    for (;;) {
      const found = this.of(log).filter(matches);
      if (found.length >= count) return found;
      await new Promise<void>((resolve) => {
        const watcher = () => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
  }
}

/** Holds these values, by secret; every version is the same. */
export const secretsOf = (values: Record<string, string>): SecretReader => ({
  read: ({ secret }) => {
    const value = values[secret];
    return value === undefined ? { refused: `Secret ${secret} was not found` } : { data: Buffer.from(value) };
  },
});
export const noSecrets = secretsOf({});

export const text = (part: string) => (entry: NewLogEntry) => entry.textPayload?.includes(part) ?? false;

export const defaultProbe: Probe = {
  kind: 'default',
  path: '',
  port: 0,
  httpHeaders: [],
  initialDelaySeconds: 0,
  periodSeconds: 240,
  timeoutSeconds: 240,
  failureThreshold: 1,
};

let images = 0;

/** An image whose `main.js` is the given code, and a revision of it. */
export function nodeRevision(
  home: string,
  code: string,
  change: Partial<RunnableRevision> = {},
): RunnableRevision {
  images += 1;
  const root = path.join(home, 'images', String(images));
  mkdirSync(root, { recursive: true });
  writeFileSync(path.join(root, 'main.js'), code);
  return {
    project: 'demo',
    location: 'europe-west1',
    service: 'chat',
    revision: `chat-${String(images).padStart(5, '0')}-abc`,
    image: { digest: `sha256:${images}`, root, command: ['node', 'main.js'], env: {} },
    containerName: 'chat-1',
    command: [],
    args: [],
    env: {},
    secretEnv: {},
    volumes: [],
    port: 8080,
    startupProbe: defaultProbe,
    concurrency: 80,
    timeoutSeconds: 300,
    maxInstances: 100,
    minInstances: 0,
    sessionAffinity: false,
    ...change,
  };
}

/** A server that answers with what `answer` (an expression over `req`) says, and stops on SIGTERM. */
export const server = (answer = "'ok'", before = '') => `
${before}
const http = require('node:http');
const server = http.createServer((req, res) => {
  if (req.url === '/exit') process.exit(3);
  res.end(String(${answer}));
});
server.listen(Number(process.env.PORT));
process.on('SIGTERM', () => process.exit(0));
`;

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
