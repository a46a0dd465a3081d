import { projectNumberOf } from '../project-number.ts';
import { type Bucket, metagenerationOf, type StoredObject } from './objects.ts';

/** The JSON API's own representations. `origin` is where this server is reached. */
export function bucketResource(bucket: Bucket, origin: string): object {
  const { name, project, location, timeCreated } = bucket;
  return {
    kind: 'storage#bucket',
    id: name,
    name,
    projectNumber: projectNumberOf(project),
    location: location.toUpperCase(),
    locationType: 'region',
    storageClass: 'STANDARD',
    selfLink: `${origin}/storage/v1/b/${name}`,
    timeCreated,
    updated: timeCreated,
    metageneration: '1',
    etag: 'CAE=',
  };
}

/** Asked for before folders are moved; there are none here. */
export function storageLayout({ name, location }: Bucket): object {
  return {
    kind: 'storage#storageLayout',
    bucket: name,
    location: location.toUpperCase(),
    locationType: 'region',
    hierarchicalNamespace: { enabled: false },
  };
}

export function objectResource(object: StoredObject, origin: string): object {
  const { bucket, name, generation, size, timeCreated, updated = timeCreated, ...rest } = object;
  const link = `/b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    contentType: 'application/octet-stream',
    ...rest,
    kind: 'storage#object',
    id: `${bucket}/${name}/${generation}`,
    selfLink: `${origin}/storage/v1${link}`,
    mediaLink: `${origin}/download/storage/v1${link}?generation=${generation}&alt=media`,
    bucket,
    name,
    generation,
    metageneration: metagenerationOf(object),
    size: String(size),
    storageClass: 'STANDARD',
    timeCreated,
    updated,
    etag: Buffer.from(`${generation}/${metagenerationOf(object)}`).toString('base64'),
  };
}
