import net from 'node:net';

type PortRange = { lowest: number; highest: number };

// Below the ports that Linux and macOS lend to outgoing connections: a probe that connects to a port nobody listens on
// cannot meet itself there, and a port that was remembered is likely to be free after a restart.
const instancePorts: PortRange = { lowest: 20_000, highest: 26_999 };
/** For the URLs of services and tags; apart, so that no instance takes the remembered port of a URL. */
export const urlPorts: PortRange = { lowest: 27_000, highest: 29_999 };
const mostTries = 100;

/** Candidates for a listener on 127.0.0.1, in random order. */
export function* portCandidates({ lowest, highest }: PortRange): Generator<number> {
  for (let tries = 0; tries < mostTries; tries++) {
    yield lowest + Math.floor(Math.random() * (highest - lowest + 1));
  }
}

/** Hands out ports that are free now, none of them twice while it is held. */
export function portLender(): { borrow(): Promise<number>; giveBack(port: number): void } {
  const lent = new Set<number>();
  return {
    async borrow() {
      for (const port of portCandidates(instancePorts)) {
        if (lent.has(port)) continue;
        lent.add(port);
        if (await isFree(port)) return port;
        lent.delete(port);
      }
      throw new Error(`no free port between ${instancePorts.lowest} and ${instancePorts.highest}`);
    },
    giveBack: (port) => void lent.delete(port),
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
