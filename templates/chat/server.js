// The chat service: binds its port first, then starts up in seven phases, then is ready.
import { createServer } from 'node:http';
import { behindTheProbe, chosenFault } from './src/faults.js';
import { log } from './src/log.js';
import { answerHttp } from './src/pages.js';
import { phasesOf } from './src/phases.js';
import { runStartup } from './src/startup.js';

const fault = chosenFault(process.env.CHAT_FAULT);

/** All that the pages, the phases and the shutdown share. */
const app = {
  port: Number(process.env.PORT ?? 8080),
  fault,
  ready: false,
  /** Critical systems by name → {ok, detail}; written by the phase that checked the system. */
  systems: new Map(),
  closers: [],
};

process.once('SIGTERM', async () => {
  log('INFO', 'SIGTERM: closing');
  app.ready = false;
  for (const close of app.closers.reverse()) await close();
  app.server?.close(() => process.exit(0));
  app.server?.closeAllConnections();
  if (!app.server) process.exit(0);
});

if (fault === 'never-listens') {
  log('INFO', 'Waiting for a configuration that never comes');
  setInterval(() => {}, 60_000);
} else {
  const server = createServer((request, response) => answerHttp(app, request, response));
  app.server = server;
  await new Promise((resolve, reject) => server.once('error', reject).listen(app.port, resolve));
  app.port = server.address().port;
  log('INFO', `Listening on port ${app.port}`);
  await behindTheProbe(app);
  await runStartup(app, phasesOf(app));
  app.ready = true;
}
