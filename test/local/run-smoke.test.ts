import { expect, test } from 'vitest';
import { connect, create, read, startCloud, tempHome } from './harness.ts';

test('a service is created and read', async () => {
  const t0 = performance.now();
  const cloud = await startCloud({ home: tempHome() });
  console.log('boot', performance.now() - t0);
  const clients = connect(cloud.port);
  const created = await create(clients);
  console.log(performance.now() - t0);
  console.log(JSON.stringify(created, null, 1));
  console.log(JSON.stringify(await read(clients), null, 1));
  const [revs] = await clients.revisions.listRevisions({ parent: created.name ?? '' });
  console.log(JSON.stringify(revs, null, 1));
  expect(created.uri).toBe('');
});
