import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { z } from 'zod';

export const folder = fileURLToPath(new URL('../../templates/chat/', import.meta.url));
const lineSchema = z.object({ severity: z.string(), message: z.string() });
const healthSchema = z.object({
  status: z.string(),
  revision: z.string(),
  components: z.record(z.string(), z.string()),
});

const running = new Set<{ stop(): Promise<unknown> }>();
afterEach(async () => {
  for (const service of running) await service.stop();
  running.clear();
});

/** The sample as a real process, on a port of its own choice. */
export function startChat(fault = '') {
  const child = spawn(process.execPath, ['server.js'], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      K_REVISION: 'chat-00001-abc',
      CHAT_FAULT: fault,
      E2E_TEST_ENV: 'staging',
    },
  });
  let output = '';
  let errors = '';
  const changed = new EventTarget();
  const note = () => changed.dispatchEvent(new Event('output'));
  child.stdout.on('data', (data) => {
    output += data;
    note();
  });
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const exited = new Promise<{ code: number | null; errors: string }>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, errors });
      note();
    });
  });
  const lines = () =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => lineSchema.parse(JSON.parse(line)));
  const service = {
    exited,
    lines,
    errors: () => errors,
    messages: () => lines().map(({ message }) => message),
    /** Resolves with the first line that matches; rejects when the process ends without one. */
    async said(pattern: RegExp): Promise<string> {
      for (;;) {
        const found = service.messages().find((message) => pattern.test(message));
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`ended without ${pattern}: ${output}${errors}`);
        await new Promise((resolve) => changed.addEventListener('output', resolve, { once: true }));
      }
    },
    async url(): Promise<string> {
      return `http://127.0.0.1:${(await service.said(/^Listening/)).split(' ').at(-1)}`;
    },
    async health() {
      const response = await fetch(`${await service.url()}/health`);
      return { http: response.status, ...healthSchema.parse(await response.json()) };
    },
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
  running.add(service);
  return service;
}
