import { z } from 'zod';
import { ConfigFile } from './schema/file.ts';

/** The JSON Schema of sluice.yaml as it is typed: what editors complete and explain. */
export function configJsonSchema(): object {
  return {
    title: 'sluice.yaml',
    ...z.toJSONSchema(ConfigFile, { io: 'input', target: 'draft-7', reused: 'inline' }),
  };
}
