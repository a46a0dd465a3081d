// A local cloud as a process of its own, like src/local/main.ts, but with the tests' images.
import { startLocalCloud } from '../../src/local/server.ts';
import { programs } from './programs.ts';

const [, , home = '', stamp = ''] = process.argv;
const cloud = await startLocalCloud({ home, stamp, images: programs(home), trafficDelayMs: 20 });
process.send?.({ kind: 'ready', port: cloud.port });
await cloud.stopRequested;
await cloud.stop();
process.exit(0);
