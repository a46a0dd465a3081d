import { NoConfigError } from './config/find.ts';
import { loadConfig } from './config/load.ts';
import { resolveTarget } from './config/resolve.ts';

export type LocalPlace = { project: string; region: string };

const sample: LocalPlace = { project: 'demo-project', region: 'us-central1' };

/**
 * The project and region that an environment has on the local cloud, by default the first of sluice.yaml; a sample
 * where no environment and no file was named and there is no sluice.yaml.
 */
export async function localPlace(options: {
  dir: string;
  config?: string | undefined;
  environment?: string | undefined;
}): Promise<LocalPlace> {
  const { dir, config: file, environment } = options;
  try {
    const where = { dir, cwd: process.cwd(), env: process.env };
    const config = await loadConfig({ ...where, ...(file === undefined ? {} : { file }) });
    const [target] = resolveTarget(config, {
      environment: environment ?? config.environments[0] ?? '',
      local: true,
    });
    return target?.ref ?? sample;
  } catch (error) {
    const asked = file !== undefined || environment !== undefined;
    if (error instanceof NoConfigError && !asked) return sample;
    throw error;
  }
}
