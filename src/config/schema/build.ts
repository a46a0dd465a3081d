import { duration, matching, section, text } from './text.ts';

export const Build = section({
  repository: matching(
    /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._{}-]+)+$/i,
    'an image name without tag or digest, such as us-central1-docker.pkg.dev/my-project/images/chat',
  )
    .describe(
      'Where the image goes, without tag or digest. By default the repository cloud-run-source-deploy of the project.',
    )
    .exactOptional(),
  image: text('an image such as us-central1-docker.pkg.dev/my-project/images/chat@sha256:…')
    .describe('An image that is there already: nothing is built.')
    .exactOptional(),
  timeout: duration().describe('How long the build may take.').prefault('10m'),
  serviceAccount: text('an account such as builder@my-project.iam.gserviceaccount.com')
    .describe('Who Cloud Build runs as.')
    .exactOptional(),
  logsBucket: matching(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, 'the name of a bucket, without gs://')
    .describe('The bucket for build logs; an account of your own needs one.')
    .exactOptional(),
}).describe('How the image is made. Without this section Cloud Build makes it with buildpacks.');
