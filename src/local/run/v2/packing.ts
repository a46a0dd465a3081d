import type { PackedAny, Protos } from '../../protos.ts';
import type { Revision, Service } from '../state.ts';
import { renderRevision, renderService } from './render.ts';

/** Services and revisions as operations carry them. */
export type Packing = {
  service(service: Service, more?: object): PackedAny;
  revision(service: Service, revision: Revision): PackedAny;
};

export function openPacking(protos: Protos): Packing {
  return {
    service: (service, more) =>
      protos.pack('google.cloud.run.v2.Service', { ...renderService(service), ...more }),
    revision: (service, revision) =>
      protos.pack('google.cloud.run.v2.Revision', renderRevision(service, revision)),
  };
}
