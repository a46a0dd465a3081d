import pLimit from 'p-limit';
import type { Route, Router } from '../contracts.ts';
import { type Endpoint, type Forwarders, openEndpoint } from './endpoint.ts';
import type { Parts, Target } from './gateway.ts';
import { openHttpForwarder } from './http.ts';
import { openWebSocketForwarder } from './websocket.ts';

/** Remembers over restarts which port a URL has. Names are `project/location/service` with `#tag` for a tag's. */
export type RememberedPorts = {
  get(name: string): number | undefined;
  set(name: string, port: number): void | Promise<void>;
  delete(name: string): void | Promise<void>;
};

export type RouterOptions = Parts & { ports: RememberedPorts };

type ServiceName = Pick<Route, 'project' | 'location' | 'service'>;

/** Serves each service and each of its tags on a URL of its own. */
export function openRouter({ ports, ...parts }: RouterOptions): Router {
  const forwarders: Forwarders = { http: openHttpForwarder(parts), webSocket: openWebSocketForwarder(parts) };
  /** By service, then by tag; the service's own under ''. */
  const services = new Map<string, Map<string, Endpoint>>();
  /** Every listener that has connections, those of removed tags too. */
  const live = new Set<Endpoint>();
  // One change at a time: two that open the same URL would open it twice.
  const inTurn = pLimit(1);

  const endpointOf = async (
    name: string,
    endpoints: Map<string, Endpoint>,
    tag: string,
  ): Promise<Endpoint> => {
    const open = endpoints.get(tag);
    if (open) return open;
    const portName = tag === '' ? name : `${name}#${tag}`;
    const endpoint = await openEndpoint(forwarders, ports.get(portName));
    endpoints.set(tag, endpoint);
    live.add(endpoint);
    if (ports.get(portName) !== endpoint.port) await ports.set(portName, endpoint.port);
    return endpoint;
  };

  const apply = async (route: Route) => {
    const name = nameOf(route);
    const endpoints = services.get(name) ?? new Map<string, Endpoint>();
    services.set(name, endpoints);
    const service = await endpointOf(name, endpoints, '');
    const leads: [Endpoint, Target][] = [[service, { route, split: route.split, audiences: [service.uri] }]];
    const tagUris: Record<string, string> = {};
    for (const { tag, revision } of route.tags) {
      const endpoint = await endpointOf(name, endpoints, tag);
      tagUris[tag] = endpoint.uri;
      const split = [{ revision, percent: 100 }];
      leads.push([endpoint, { route, split, audiences: [service.uri, endpoint.uri] }]);
    }
    // From here on without a pause, so that no request sees half of it.
    for (const [endpoint, target] of leads) endpoint.lead(target);
    for (const [tag, endpoint] of endpoints) {
      if (tag === '' || tag in tagUris) continue;
      endpoints.delete(tag);
      void endpoint.retire().then(() => live.delete(endpoint));
      await ports.delete(`${name}#${tag}`);
    }
    return { uri: service.uri, tagUris };
  };

  const remove = async (service: ServiceName) => {
    const name = nameOf(service);
    const endpoints = services.get(name) ?? new Map<string, Endpoint>();
    services.delete(name);
    for (const [tag, endpoint] of endpoints) {
      await endpoint.close();
      live.delete(endpoint);
      await ports.delete(tag === '' ? name : `${name}#${tag}`);
    }
  };

  return {
    apply: (route) => inTurn(() => apply(route)),
    remove: (service) => inTurn(() => remove(service)),
    stop: () =>
      inTurn(async () => {
        services.clear();
        await Promise.all([...live].map((endpoint) => endpoint.close()));
        live.clear();
        forwarders.http.close();
      }),
  };
}

function nameOf({ project, location, service }: ServiceName): string {
  return `${project}/${location}/${service}`;
}
