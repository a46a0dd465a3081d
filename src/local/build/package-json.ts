import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const packageSchema = z.object({
  name: z.string().optional(),
  main: z.string().optional(),
  scripts: z.record(z.string(), z.string()).default({}),
  engines: z.object({ node: z.string().optional() }).optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
  workspaces: z.unknown().optional(),
});

export type PackageJson = z.output<typeof packageSchema>;

/** undefined: there is none. Throws when it is no package.json that npm would take. */
export function readPackageJson(root: string): PackageJson | undefined {
  const file = path.join(root, 'package.json');
  if (!existsSync(file)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`package.json is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = packageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`package.json: ${issue?.path.join('.')} ${issue?.message}`);
}
