import { createHash } from 'node:crypto';

/** A project's number. Nobody gives projects numbers here, so it follows from the project's name. */
export function projectNumberOf(project: string): string {
  const digits = createHash('sha256').update(project).digest().readUIntBE(0, 5);
  return String(100_000_000_000 + (digits % 899_999_999_999));
}

/** The account that Compute Engine gives a project; Cloud Run and Cloud Build act as it unless told otherwise. */
export function defaultServiceAccountOf(project: string): string {
  return `${projectNumberOf(project)}-compute@developer.gserviceaccount.com`;
}
