/** Methods by the full names of their services. */
export type Wanted = Readonly<Record<string, readonly string[]>>;

/** What each client is asked; of its protos only what these methods reach is needed. */
export const apiMethods = {
  run: {
    'google.cloud.run.v2.Services': [
      'CreateService',
      'GetService',
      'UpdateService',
      'DeleteService',
      'GetIamPolicy',
    ],
    'google.cloud.run.v2.Revisions': ['GetRevision', 'ListRevisions'],
  },
  build: { 'google.devtools.cloudbuild.v1.CloudBuild': ['CreateBuild', 'GetBuild', 'CancelBuild'] },
  logs: { 'google.logging.v2.LoggingServiceV2': ['ListLogEntries', 'TailLogEntries'] },
} as const satisfies Record<string, Wanted>;
