import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { createProxyServer } from 'httpxy';
import { addCookie } from './affinity.ts';
import { type Answer, brokenConnection, rawAnswer, timedOut } from './answers.ts';
import { closed, type Lease, openPassage, type Parts, type Target } from './gateway.ts';
import type { Outcome } from './request-log.ts';

// How long a client may keep its half of a connection open after ours has ended.
const lingerMs = 1000;

/** Forwards WebSockets, each to one instance for as long as it lives. */
export function openWebSocketForwarder(parts: Parts): {
  forward(target: Target, request: IncomingMessage, socket: Socket, head: Buffer): Promise<void>;
} {
  const handshakes = new WeakMap<IncomingMessage, (outgoing: ClientRequest) => void>();
  const proxy = createProxyServer();
  proxy.on('proxyReqWs', (outgoing, request) => handshakes.get(request)?.(outgoing));

  const connect = async (
    lease: Lease,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<Outcome> => {
    let outcome: Outcome | undefined;
    const refuse = (answer: Answer) => {
      outcome = { status: answer.status, text: answer.logged };
      socket.end(rawAnswer(answer));
    };
    const deadline = setTimeout(() => {
      if (!outcome) refuse(timedOut);
      else socket.destroy();
    }, lease.timeoutSeconds * 1000);
    handshakes.set(request, (outgoing) => {
      outgoing.once('response', ({ statusCode = 502 }) => {
        outcome ??= { status: statusCode };
      });
      outgoing.once('upgrade', (incoming, backend) => {
        if (lease.cookie) addCookie(incoming, lease.cookie);
        outcome ??= { status: 101 };
        socket.once('close', () => backend.destroy());
        backend.once('close', () => socket.destroySoon());
      });
      // Runs before httpxy's own listener, which ends the socket without a word.
      outgoing.once('error', () => {
        if (!outcome && socket.writable) refuse(brokenConnection);
      });
      socket.once('close', () => outgoing.destroy());
    });
    // Its rejections say nothing that the handshake's listeners did not see.
    await proxy
      .ws(request, socket, { target: new URL(`http://127.0.0.1:${lease.port}`) }, head)
      .catch(() => undefined);
    await closed(socket);
    clearTimeout(deadline);
    return outcome ?? { status: 499 };
  };

  return {
    async forward(target, request, socket, head) {
      socket.on('error', () => socket.destroy());
      socket.once('finish', () => setTimeout(() => socket.destroy(), lingerMs).unref());
      const passage = openPassage(parts, target, request);
      const entry = await passage.enter();
      if ('answer' in entry) {
        socket.end(rawAnswer(entry.answer));
        await closed(socket);
        passage.end({ status: entry.answer.status, text: entry.answer.logged });
        return;
      }
      const { lease } = entry;
      try {
        const outcome = socket.destroyed ? { status: 499 } : await connect(lease, request, socket, head);
        passage.end({ ...outcome, revision: lease.revision, instanceId: lease.instanceId });
      } finally {
        lease.release();
      }
    },
  };
}
