// The seven phases. Each does real work and records the systems that it has really checked.
import { createHash, scrypt } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { dawdle, importWhatIsMissing } from './faults.js';

const here = new URL('.', import.meta.url);

export function phasesOf(app) {
  return [
    { name: 'INIT', run: () => init(app) },
    { name: 'DEPENDENCIES', run: () => dependencies(app) },
    { name: 'DATABASE', run: () => database(app) },
    { name: 'CACHE', run: () => cache(app) },
    { name: 'SERVICES', run: () => services(app) },
    { name: 'WEBSOCKET', run: () => websocket(app) },
    { name: 'FINALIZE', run: () => finalize(app) },
  ];
}

/** What code is this, and with which key are sessions signed? */
async function init(app) {
  const hash = createHash('sha256');
  for (const file of (await readdir(here)).sort()) hash.update(await readFile(new URL(file, here)));
  app.sourceHash = hash.digest('hex').slice(0, 12);
  app.sessionKey = await promisify(scrypt)(app.sourceHash, 'chat-session', 32);
}

async function dependencies(app) {
  await importWhatIsMissing(app);
  await dawdle(app);
  const [ws, store, redis, agent] = await Promise.all([
    import('ws'),
    import('./store.js'),
    import('./redis.js'),
    import('./agent.js'),
  ]);
  app.modules = { ws, store, redis, agent };
}

async function database(app) {
  const { openStore } = app.modules.store;
  app.store = await openStore();
  app.closers.push(() => app.store.close());
  const written = { id: 'startup', text: `started from ${app.sourceHash}` };
  await app.store.insert(written);
  const read = await app.store.find('startup');
  report(
    app,
    'Database',
    read?.text === written.text,
    'Connected & Validated',
    'Wrote a row and read another',
  );
}

async function cache(app) {
  const { connectRedis, startRedis } = app.modules.redis;
  const server = await startRedis();
  // The fault: the cache goes away between the start and the first question.
  if (app.fault === 'system-failed') await server.close();
  else app.closers.push(() => server.close());
  try {
    app.redis = await connectRedis(server.port);
    app.closers.push(() => app.redis.close());
    for (const topic of ['weather', 'time', 'news'])
      await app.redis.set(topic, `What do you want to know about ${topic}?`);
    const warm = await app.redis.get('weather');
    report(
      app,
      'Redis',
      warm?.includes('weather') === true,
      'Connected & Available',
      'A key that was set is not there',
    );
  } catch (error) {
    report(app, 'Redis', false, '', `Connection failed: ${error.code ?? error.message}`);
  }
}

async function services(app) {
  const { Agent, echoModel } = app.modules.agent;
  app.model = echoModel(app.sessionKey);
  const completion = await app.model.complete('ping');
  report(
    app,
    'LLM Manager',
    completion.includes('ping'),
    'Initialized & Ready',
    'The model gave no completion',
  );
  app.agent = new Agent({ model: app.model, store: app.store, redis: app.redis });
}

/** Opens /ws and talks to it as a client would. */
async function websocket(app) {
  const { openWebSocket, roundTrip } = await import('./websocket.js');
  const sockets = openWebSocket(app);
  app.closers.push(() => sockets.close());
  const events = await roundTrip(app.port, 'startup');
  const completed = events.length === 5 && events.at(-1).type === 'agent_completed';
  report(
    app,
    'Chat Pipeline',
    completed,
    'Operational & WebSocket-Enabled',
    `Only ${events.length} of 5 events came back`,
  );
}

/** The agent's own view after everything is in place. */
async function finalize(app) {
  const health = await app.agent.health();
  report(app, 'Agent Bridge', health.ok, 'Integrated & Health Verified', health.reason);
}

function report(app, name, ok, healthy, failed) {
  app.systems.set(name, { ok, detail: ok ? healthy : failed });
}
