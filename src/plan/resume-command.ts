/** The command that goes on with a release, typed as the deploy was: `sluice resume ID --local`. */
export function resumeCommand(deploy: string, release: string): string {
  return deploy.replace(/^sluice \S+ \S+/, `sluice resume ${release}`).replace(/ --service \S+/, '');
}
