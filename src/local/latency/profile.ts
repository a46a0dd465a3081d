import { z } from 'zod';

/** What takes its time in a cloud, and on this machine does not. */
export type Moment =
  | 'read'
  | 'write'
  | 'revision'
  | 'coldStart'
  | 'traffic'
  | 'access'
  | 'buildQueue'
  | 'logIngestion';

type Range = readonly [leastMs: number, mostMs: number];

/**
 * Orders of magnitude that we chose, beside what the work itself takes here; each time is drawn evenly from its
 * range. Nobody has measured them at Google.
 */
const cloud: Readonly<Record<Moment, Range>> = {
  /** Get and List, until they answer. */
  read: [50, 150],
  /** Everything else that is called, until it answers. */
  write: [200, 600],
  /** A new revision, until its first instance is started: the image is imported and provisioned. */
  revision: [6_000, 11_000],
  /** Any further instance. */
  coldStart: [400, 1_500],
  /** From a settled revision to traffic that has moved. */
  traffic: [1_500, 4_000],
  /** From who may call a service to the router knowing it. */
  access: [3_000, 10_000],
  /** QUEUED, until a worker is there. */
  buildQueue: [2_000, 6_000],
  /** From a printed line to a log that shows it. */
  logIngestion: [1_000, 5_000],
};

const profiles: Readonly<Record<'none' | 'cloud', Readonly<Partial<Record<Moment, Range>>>>> = {
  none: {},
  cloud,
};
export const latencyProfiles = ['none', 'cloud'] as const;

/** `factor` scales every figure: 0.1 rehearses ten times as fast. */
export const latencySchema = z.strictObject({
  profile: z.enum(latencyProfiles),
  factor: z.number().gt(0).max(10),
});
export type LatencySetting = z.infer<typeof latencySchema>;

export const noLatency: LatencySetting = { profile: 'none', factor: 1 };

/** A time for this moment; 0 where the profile says nothing. */
export function drawMs({ profile, factor }: LatencySetting, moment: Moment): number {
  const [least, most] = profiles[profile][moment] ?? [0, 0];
  return (least + Math.random() * (most - least)) * factor;
}
