/** The shells that variables can be printed for; `sh` is read by bash, zsh, dash and ksh too. */
export const shells = ['sh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

/** PowerShell takes the typographic ones for its own. */
const powershellQuotes = /['\u2018-\u201B]/g;

/** Lines that set these variables when the shell evaluates them, whatever stands in their values. */
export function exportLines(variables: Readonly<Record<string, string>>, shell: Shell): string[] {
  return Object.entries(variables).map(([name, value]) => {
    if (shell === 'fish') return `set -gx ${name} '${value.replaceAll(/['\\]/g, '\\$&')}'`;
    if (shell === 'powershell') return `$env:${name} = '${value.replaceAll(powershellQuotes, '$&$&')}'`;
    return `export ${name}='${value.replaceAll("'", "'\\''")}'`;
  });
}

export function unsetLines(names: readonly string[], shell: Shell): string[] {
  return names.map((name) => {
    if (shell === 'fish') return `set -e ${name}`;
    if (shell === 'powershell') return `Remove-Item Env:${name} -ErrorAction Ignore`;
    return `unset ${name}`;
  });
}
