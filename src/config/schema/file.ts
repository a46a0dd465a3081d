import { z } from 'zod';
import { Gate, Promotion } from './gate.ts';
import { ledger } from './ledger.ts';
import { overridable } from './overridable.ts';
import { Service } from './service.ts';
import { flag, map, matching, oneOf, section, text } from './text.ts';

const environmentKeys = {
  project: text('a Google Cloud project id').describe('The Google Cloud project.'),
  region: text('a region such as us-central1').describe('The region, such as us-central1.'),
  url: matching(/^https?:\/\/[^\s/]+\/?$/, 'an address such as https://chat.example.com')
    .describe('The address that users call (a custom domain), without a path.')
    .exactOptional(),
  cloud: oneOf(['google', 'local']).describe('local: always the local cloud.').default('google'),
  e2e: flag()
    .describe('true allows what bypasses authentication for end-to-end tests. Never for production.')
    .default(false),
  gate: Gate.prefault({}),
  promotion: Promotion.prefault({}),
};

/** An environment without its overrides. */
export const Environment = section(environmentKeys);
export type Environment = z.output<typeof Environment>;

const key = matching(/^[a-z][a-z0-9-]{0,48}$/, 'a lower-case letter, then lower-case letters, digits and -');

const EnvironmentEntry = section({
  ...environmentKeys,
  services: map(key, overridable(Service).nullable())
    .describe('What differs here, by service: merged key by key; lists are replaced; null removes.')
    .exactOptional(),
}).describe('An environment.');

/** sluice.yaml as it is typed. */
export const ConfigFile = section({
  version: z.literal(1, { error: '1' }).describe('The version of this format.').exactOptional(),
  services: map(key, Service.nullable().describe('A service.')).describe('The services, by name.'),
  ledger: ledger()
    .describe(
      'Where releases are recorded and locked: a bucket that a team and its CI share, gs://BUCKET/PREFIX, or a folder. Default: .sluice/ledger beside this file.',
    )
    .exactOptional(),
  environments: map(key, EnvironmentEntry).describe('The environments, by name.'),
}).describe('The configuration of Sluice.');
