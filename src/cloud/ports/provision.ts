import type { SqlInstanceName } from '../../cloud-sql.ts';
import type { Call } from './call.ts';

/** Makes what at Google a person makes. Only a rehearsal may: there nobody else would, and it costs nothing. */
export type ProvisionPort = {
  /** Resolves when it is being made, or somebody else has made it; whoever connects to it waits for the rest. */
  sqlInstance(of: SqlInstanceName, call: Call): Promise<void>;
};
