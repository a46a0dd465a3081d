/** `PROJECT:REGION:INSTANCE`; a project that belongs to a domain has a colon of its own. */
export type SqlInstanceName = { project: string; region: string; instance: string };

export function parseSqlInstanceName(name: string): SqlInstanceName {
  const parts = name.split(':');
  const [region = '', instance = ''] = parts.slice(-2);
  return { project: parts.slice(0, -2).join(':'), region, instance };
}

/** What a person types to make it. */
export function createSqlInstanceCommand(name: string): string {
  const { project, region, instance } = parseSqlInstanceName(name);
  return `gcloud sql instances create ${instance} --project ${project} --region ${region}`;
}
