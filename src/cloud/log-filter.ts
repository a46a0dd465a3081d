import type { ServiceRef, Severity } from './ports/index.ts';

export type LogWish = {
  revision?: string | undefined;
  /** This severity and graver. */
  severity?: Severity | undefined;
  /** RFC 3339. */
  since?: string | undefined;
};

/** The entries of a service, in Cloud Logging's filter language. */
export function serviceFilter(ref: ServiceRef, wish: LogWish = {}): string {
  return [
    'resource.type="cloud_run_revision"',
    `resource.labels.service_name="${ref.service}"`,
    ...(wish.revision ? [`resource.labels.revision_name="${wish.revision}"`] : []),
    `resource.labels.location="${ref.region}"`,
    ...(wish.severity ? [`severity>=${wish.severity}`] : []),
    ...(wish.since ? [`timestamp>="${wish.since}"`] : []),
  ].join(' AND ');
}
