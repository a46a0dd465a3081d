// /ws: a message in, five events out.
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { log } from './log.js';

export function openWebSocket(app) {
  const sockets = new WebSocketServer({ server: app.server, path: '/ws', maxPayload: 64 * 1024 });
  sockets.on('connection', (socket, request) => {
    // Only where E2E_TEST_ENV is set does the header count: it replaces the sign-in.
    const isTest = Boolean(process.env.E2E_TEST_ENV) && request.headers['x-e2e-test'] === 'true';
    socket.on('error', (error) => log('WARNING', `WebSocket: ${error.message}`));
    socket.on('message', (data) => answer(app, socket, textOf(data), isTest ? 'e2e' : 'guest'));
  });
  return {
    async close() {
      for (const socket of sockets.clients) socket.close(1001, 'the service is closing');
      await new Promise((resolve) => sockets.close(resolve));
    },
  };
}

async function answer(app, socket, message, user) {
  try {
    for await (const event of app.agent.handle(message, user)) socket.send(JSON.stringify(event));
  } catch (error) {
    log('ERROR', `Message not answered: ${error.message}`);
    socket.close(1011, 'internal error');
  }
}

/** `{"message": "…"}` or plain text. */
function textOf(data) {
  const text = data.toString('utf8');
  try {
    return String(JSON.parse(text).message ?? text);
  } catch {
    return text;
  }
}

/** Connects to this very service and collects the events of one message. */
export async function roundTrip(port, message) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { handshakeTimeout: 2000 });
  await once(socket, 'open');
  const events = [];
  const done = new Promise((resolve) => {
    const giveUp = setTimeout(resolve, 2000);
    socket.on('message', (data) => {
      events.push(JSON.parse(data.toString('utf8')));
      if (events.at(-1).type !== 'agent_completed') return;
      clearTimeout(giveUp);
      resolve();
    });
  });
  socket.send(JSON.stringify({ message }));
  await done;
  socket.close();
  return events;
}
