// Run by the build: writes oclif.manifest.json (help without loading every command) and the build's stamp.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Plugin } from '@oclif/core';
import { recordBuild } from './build-stamp.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const plugin = new Plugin({
  root,
  type: 'core',
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
});
void plugin.load().then(() => {
  writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest, null, 2)}\n`);
  writeFileSync(join(root, 'dist/build.json'), `${JSON.stringify(recordBuild(root))}\n`);
});
