import { z } from 'zod';

/**
 * The small words that sluice.yaml is written in. Every error text of a schema here is the phrase that says what
 * is allowed; `issues.ts` makes the sentence around it.
 */

type Shape = Record<string, z.ZodType>;

/** A map with these keys and no others. */
export function section<S extends Shape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : 'a map of keys to values',
  });
}

export const map = <K extends z.core.$ZodRecordKey, V extends z.ZodType>(key: K, value: V) =>
  z.record(key, value, { error: 'a map of names to values' });

export const list = <V extends z.ZodType>(item: V) => z.array(item, { error: 'a list' });

export const text = (phrase = 'text') => z.string({ error: phrase }).min(1, 'text that is not empty');

export const matching = (pattern: RegExp, phrase: string) =>
  z.string({ error: phrase }).regex(pattern, phrase);

export const flag = () => z.boolean({ error: 'true or false' });

export const whole = (least: number, most: number) => {
  const phrase = `a whole number from ${least} to ${most}`;
  return z.number({ error: phrase }).int(phrase).min(least, phrase).max(most, phrase);
};

export const oneOf = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values, { error: values.join(', ') });

const secondsIn = { ms: 0.001, s: 1, m: 60, h: 3600 } as const;
const durationPhrase = 'a duration such as 500ms, 30s, 2m or 1h';

/** `500ms`, `30s`, `1.5s`, `2m`, `1h` → seconds. */
export const duration = () =>
  matching(/^\d{1,7}(\.\d{1,3})?(ms|s|m|h)$/, durationPhrase).transform((typed) => {
    const unit = /[a-z]+$/.exec(typed)?.[0] ?? 's';
    const factor = unit === 'ms' || unit === 'm' || unit === 'h' ? secondsIn[unit] : secondsIn.s;
    return Number((Number.parseFloat(typed) * factor).toFixed(6));
  });

/** `1`, `2`, `0.5` or `500m` → Cloud Run's spelling: whole CPUs as `2`, parts as `500m`. */
export const cpu = () => {
  const phrase = '1, 2, 4, 6 or 8, or a part of one CPU from 0.08 (80m) to 1';
  return z
    .union([z.number(), z.string().regex(/^(\d+(\.\d+)?|\d+m)$/, phrase)], { error: phrase })
    .transform((typed) => {
      const milli = String(typed).endsWith('m')
        ? Number.parseInt(String(typed), 10)
        : Math.round(Number(typed) * 1000);
      return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
    });
};

export const memory = () => matching(/^[1-9]\d{0,6}(Mi|Gi)$/, 'a size in Mi or Gi such as 512Mi or 2Gi');

/** A path of the service, with its query: `/health?full=1`. */
export const urlPath = () => text('a path such as /health');
