import { z } from 'zod';
import { map, section } from './text.ts';

/**
 * The same shape for an override: every key may be left out, null removes it, nothing has a default. Lists are
 * replaced whole, so what is in them keeps its own rules. A key's schema is made when somebody overrides it.
 */
export function overridable(schema: z.core.$ZodType): z.ZodType {
  const inner = unwrapped(schema);
  const description = z.globalRegistry.get(inner)?.description;
  const loosened = loosen(inner);
  return description === undefined ? loosened : loosened.describe(description);
}

function loosen(schema: z.core.$ZodType): z.ZodType {
  if (schema instanceof z.ZodObject) {
    const shape = Object.entries(schema.shape).map(([key, value]) => [key, orNothing(value)]);
    return section(Object.fromEntries(shape));
  }
  if (schema instanceof z.ZodRecord) {
    return map(schema.keyType, overridable(schema.valueType).nullable());
  }
  if (schema instanceof z.ZodType) return schema;
  throw new TypeError('an override of a schema that is not a zod one');
}

function orNothing(schema: z.core.$ZodType): z.ZodType {
  const description = z.globalRegistry.get(unwrapped(schema))?.description;
  const optional = z.lazy(() => overridable(schema).nullable()).exactOptional();
  return description === undefined ? optional : optional.describe(description);
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodOptional
    ? unwrapped(schema.unwrap())
    : schema;
}
