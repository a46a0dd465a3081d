/** The gRPC services of each client that Sluice calls; of its protos only what these reach is needed. */
export const apiServices = {
  run: ['google.cloud.run.v2.Services', 'google.cloud.run.v2.Revisions'],
  build: ['google.devtools.cloudbuild.v1.CloudBuild'],
  logs: ['google.logging.v2.LoggingServiceV2'],
} as const;
