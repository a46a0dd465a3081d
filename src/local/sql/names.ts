import { status } from '@grpc/grpc-js';
import { RpcError } from '../grpc.ts';

/** `PROJECT:REGION:INSTANCE`; a project of a domain has a colon of its own. */
export type ConnectionName = { project: string; region: string; name: string };

export function formatConnectionName({ project, region, name }: ConnectionName): string {
  return `${project}:${region}:${name}`;
}

export function parseConnectionName(text: string): ConnectionName {
  const [name = '', region = '', ...project] = text.split(':').reverse();
  return { project: project.reverse().join(':'), region, name };
}

/** As Cloud SQL demands it. Source: cloud.google.com/sql/docs/postgres/instance-settings#instance-id-2ndgen */
export function checkInstanceName(project: string, name: string): void {
  const fits = /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name) && `${project}:${name}`.length <= 98;
  if (!fits) throw new RpcError(status.INVALID_ARGUMENT, `Invalid request: instance name (${name}).`);
}

export function checkRegion(region: string): void {
  if (!/^[a-z]+-[a-z]+\d+$/.test(region))
    throw new RpcError(status.INVALID_ARGUMENT, `Invalid request: Invalid value for region: ${region}.`);
}
