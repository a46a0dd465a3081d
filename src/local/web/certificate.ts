import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/**
 * A certificate for one host name, signed by its own key, as PEM. Written out here because the libraries that make
 * certificates cost a start of the local cloud more time than all of its own parts. Source: RFC 5280, RFC 5758.
 */
export function selfSigned(host: string, validDays: number): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(oid.commonName, der(0x0c, Buffer.from(host)))));
  const now = Date.now();
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    // Positive, and not minimal by a leading zero.
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    sequence(oid.ecdsaWithSha256),
    name,
    sequence(time(now - 3600_000), time(now + validDays * 24 * 3600_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        extension(oid.subjectAltName, sequence(der(0x82, Buffer.from(host)))),
        // Neither an authority nor good for anything but a server.
        extension(oid.basicConstraints, sequence()),
        extension(oid.extendedKeyUsage, sequence(oid.serverAuth)),
      ),
    ),
  );
  const signature = sign('sha256', body, { key: privateKey, dsaEncoding: 'der' });
  const certificate = sequence(body, sequence(oid.ecdsaWithSha256), der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
  };
}

const oid = {
  commonName: Buffer.from('0603550403', 'hex'),
  ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
  subjectAltName: Buffer.from('0603551d11', 'hex'),
  basicConstraints: Buffer.from('0603551d13', 'hex'),
  extendedKeyUsage: Buffer.from('0603551d25', 'hex'),
  serverAuth: Buffer.from('06082b06010505070301', 'hex'),
};

/** Tag, length, content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  const { length } = bytes;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), bytes]);
}

function sequence(...content: Buffer[]): Buffer {
  return der(0x30, ...content);
}

function set(...content: Buffer[]): Buffer {
  return der(0x31, ...content);
}

function extension(name: Buffer, value: Buffer): Buffer {
  return sequence(name, der(0x04, value));
}

/** UTCTime, good until 2049. */
function time(millis: number): Buffer {
  const digits = new Date(millis).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}
