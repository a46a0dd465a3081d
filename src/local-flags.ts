import { CLIError } from '@oclif/core/errors';
import * as Flags from '@oclif/core/flags';
import { duration } from './config/schema/text.ts';
import { errorCodes, type FaultSpec, faultApis } from './local/faults/fault.ts';
import { latencyProfiles } from './local/latency/profile.ts';

const milliseconds = Flags.custom<number>({
  helpValue: 'DURATION',
  parse: async (typed) => {
    const { data, error } = duration().safeParse(typed);
    if (data === undefined) throw new CLIError(`${typed} is not ${error.issues[0]?.message}`);
    return Math.round(data * 1000);
  },
});

const numberUpTo = (most: number, helpValue: string) =>
  Flags.custom<number>({
    helpValue,
    parse: async (typed) => {
      const number = Number(typed);
      if (!(number > 0 && number <= most))
        throw new CLIError(`${typed} is not a number above 0 and up to ${most}`);
      return number;
    },
  });

/** What `sluice local start` can be told. */
export const startFlags = {
  'latency-profile': Flags.option({
    description: 'as quick as this machine (none) or as slow as the real thing (cloud); kept until set anew',
    options: latencyProfiles,
  })(),
  'latency-factor': numberUpTo(
    10,
    'FACTOR',
  )({
    description: 'times this, above 0 and up to 10',
    dependsOn: ['latency-profile'],
  }),
  'idle-timeout': milliseconds({
    description: 'stop an instance after so long without a request (15m at first); kept until set anew',
  }),
};

/** What `sluice local fault add` can be told. */
export const faultFlags = {
  api: Flags.option({ description: 'whose calls', options: faultApis, required: true })(),
  method: Flags.string({ description: "by Google's name; all of the API without it", helpValue: 'NAME' }),
  code: Flags.option({ description: 'fail with this status', options: errorCodes, helpValue: 'CODE' })(),
  message: Flags.string({ description: 'what the failure says', helpValue: 'TEXT' }),
  latency: milliseconds({ description: 'begin so much later' }),
  'drop-reply': Flags.boolean({ description: 'the call takes effect, its answer is lost' }),
  'stale-read': milliseconds({ description: 'so long after a write, read what was true before it' }),
  'cut-stream-after': Flags.integer({
    description: 'break off after N messages (gRPC) or bytes (HTTP)',
    helpValue: 'N',
    min: 0,
  }),
  times: Flags.integer({ description: 'so often; without it, until cleared', helpValue: 'N', min: 1 }),
  probability: numberUpTo(1, 'PART')({ description: 'strike this part of the calls' }),
  seed: Flags.integer({ description: 'which calls the probability picks', helpValue: 'N', min: 0 }),
};

type TypedFault = Pick<
  FaultSpec,
  'api' | 'method' | 'code' | 'message' | 'times' | 'probability' | 'seed'
> & {
  latency?: number | undefined;
  'drop-reply'?: boolean;
  'stale-read'?: number | undefined;
  'cut-stream-after'?: number | undefined;
};

export function faultOf(typed: TypedFault): FaultSpec {
  const { api, method, code, message, times, probability, seed } = typed;
  return {
    ...{ api, method, code, message, times, probability, seed },
    latencyMs: typed.latency,
    dropReply: typed['drop-reply'] || undefined,
    staleReadMs: typed['stale-read'],
    cutStreamAfter: typed['cut-stream-after'],
  };
}
