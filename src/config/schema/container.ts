import { cpu, duration, flag, map, matching, memory, section, text, whole } from './text.ts';

const labelValue = matching(/^[a-z0-9_-]{0,63}$/, 'at most 63 lower-case letters, digits, _ and -');

export const Container = section({
  port: whole(1, 65535).describe('The port the container listens on; it gets it as PORT.').default(8080),
  cpu: cpu().describe('CPUs of an instance: 1, 2, 4, 6, 8, or a part of one such as 500m.').prefault('1'),
  memory: memory().describe('Memory of an instance, such as 512Mi or 2Gi.').default('512Mi'),
  concurrency: whole(1, 1000).describe('Requests that one instance serves at a time.').default(80),
  timeout: duration().describe('How long a request may take, up to 60m.').prefault('5m'),
  minInstances: whole(0, 1000).describe('Instances kept warm. They cost money at any time.').default(0),
  maxInstances: whole(1, 1000).describe('Instances at most.').default(100),
  cpuBoost: flag().describe('More CPU while an instance starts.').default(false),
  public: flag().describe('true lets anybody call the service; false asks for an ID token.').default(false),
  serviceAccount: text('an account such as chat@my-project.iam.gserviceaccount.com')
    .describe("Who the service runs as; without it, Cloud Run's default account.")
    .exactOptional(),
  labels: map(
    matching(/^[a-z][a-z0-9_-]{0,62}$/, 'a lower-case letter, then letters, digits, _ and -'),
    labelValue,
  )
    .describe('Labels of the revision.')
    .default({}),
}).describe('The container and how Cloud Run scales it.');
