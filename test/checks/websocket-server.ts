import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { runChecks } from '../../src/checks/run.ts';
import type { MessageSpec, WebsocketCheck } from '../../src/config/check-spec.ts';
import { contextFor } from './given.ts';

type Answer = (socket: WebSocket, text: string, request: IncomingMessage) => void;
/** What a service does when a connection is open. */
type Greeting = (socket: WebSocket, request: IncomingMessage) => void;

export type Service = {
  /** Called for each message. */
  answer?: Answer;
  /** Called when a connection is open. */
  greet?: Greeting;
  http?: RequestListener;
  /** Instead of the handshake: raw bytes. */
  upgrade?: (request: IncomingMessage, socket: Duplex) => void;
};

/** A real WebSocket service on loopback for one test; returns its URL. */
export async function serveWebsocket(service: Service): Promise<string> {
  const server = createServer(service.http ?? ((_, response) => response.end('ok')));
  const sockets = new WebSocketServer({ noServer: true });
  const raw = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    raw.add(socket);
    socket.on('error', () => socket.destroy());
    if (service.upgrade) return service.upgrade(request, socket);
    sockets.handleUpgrade(request, socket, head, (open) => {
      open.on('error', () => open.terminate());
      service.greet?.(open, request);
      open.on('message', (data) => service.answer?.(open, String(data), request));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of raw) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  return `http://127.0.0.1:${port}`;
}

/** Refuses every handshake with this status and body. */
export const refusing =
  (status: string, body = '') =>
  (_: IncomingMessage, socket: Duplex): void => {
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  };

export const five = [
  'agent_started',
  'agent_thinking',
  'tool_executing',
  'tool_completed',
  'agent_completed',
];

/** Sends these events, each as `{type}`. */
export const say =
  (...types: string[]) =>
  (socket: WebSocket, ..._: unknown[]): void => {
    for (const type of types) socket.send(JSON.stringify({ type }));
  };

export function message(more: Partial<MessageSpec> = {}): MessageSpec {
  const type = more.type ?? 'user_message';
  return { type, send: JSON.stringify({ type }), events: five, others: true, deadlineSeconds: 5, ...more };
}

export function websocketCheck(more: Partial<WebsocketCheck> = {}): WebsocketCheck {
  return {
    id: 'chat-ws',
    kind: 'websocket',
    stages: ['candidate'],
    required: true,
    successes: 1,
    timeoutSeconds: 20,
    path: '/ws',
    headers: {},
    subprotocols: [],
    handshakeSeconds: 5,
    connectAttempts: 1,
    eventField: 'type',
    errors: {
      event: 'error',
      at: 'error',
      code: 'code',
      component: 'component',
      message: 'message',
      components: 'component_details',
    },
    health: '/health',
    messages: [message()],
    ...more,
  };
}

export async function check(
  url: string,
  spec: Partial<WebsocketCheck> = {},
  context: Parameters<typeof contextFor>[1] = {},
) {
  const [result] = await runChecks([websocketCheck(spec)], contextFor(url, context), () => {});
  if (!result) throw new Error('the check is of this stage');
  return result;
}

/** `connection auth processing response` of each row, as signs. */
export function matrix({ messages = [] }: Awaited<ReturnType<typeof check>>): string[] {
  const sign = { passed: '✔', failed: '✖', 'not-reached': '–' };
  return messages.map(
    ({ type, connection, auth, processing, response }) =>
      `${type} ${[connection, auth, processing, response].map(({ status }) => sign[status]).join('')}`,
  );
}
