import path from 'node:path';
import { certificateFile } from './home.ts';
import { proxiedHost } from './web/admission.ts';

/** gcloud's own names (its `api_endpoint_overrides` section) of the APIs that the local cloud serves, in capitals. */
const apis = [
  ...['CLOUDBUILD', 'LOGGING', 'ARTIFACTREGISTRY', 'SERVICEUSAGE', 'CLOUDRESOURCEMANAGER'],
  ...['IAM', 'IAMCREDENTIALS', 'SECRETMANAGER', 'SQL'],
];

/**
 * The variables that make gcloud speak to the local cloud, and to nothing else: all of its requests go through the
 * proxy that its own properties name. `http_proxy` stays as it is, because every other program would follow it too.
 */
export function gcloudEnv(place: {
  home: string;
  port: number;
  project: string;
  region: string;
}): Record<string, string> {
  const origin = `http://127.0.0.1:${place.port}/`;
  return {
    // A configuration of its own: what the user has set and whom they signed in as stays out of it.
    CLOUDSDK_CONFIG: path.join(place.home, 'gcloud'),
    CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
    CLOUDSDK_CORE_PROJECT: place.project,
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: 'true',
    CLOUDSDK_RUN_REGION: place.region,
    CLOUDSDK_PROXY_TYPE: 'http',
    CLOUDSDK_PROXY_ADDRESS: '127.0.0.1',
    CLOUDSDK_PROXY_PORT: String(place.port),
    // Trusted alone: gcloud can speak TLS with nobody else either.
    CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: certificateFile(place.home),
    CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: `http://${proxiedHost}/`,
    ...Object.fromEntries(apis.map((api) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${api}`, origin])),
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${origin}storage/v1/`,
  };
}
