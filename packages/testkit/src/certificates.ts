import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A certificate holds for a day before now and ten after it, whatever the clocks of a test say. */
const DAY_MS = 86_400_000;

// Object identifiers, encoded: RFC 5280, section 4.2.1, and RFC 5758, section 3.2.
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');
const SUBJECT_ALTERNATIVE_NAMES = Buffer.from('0603551d11', 'hex');

/** Paths of PEM files. */
export interface Certificates {
  /** Has signed `cert`. */
  readonly ca: string;
  /** Of a server or a client on 127.0.0.1, also called `redis.test`. */
  readonly cert: string;
  readonly key: string;
  /** Has signed nothing. */
  readonly otherCa: string;
}

/**
 * Certificates of one test, made by Node alone: there is an X.509 parser in it and no writer, and neither
 * openssl nor a library is needed for these forty lines of DER.
 */
export async function makeCertificates(dir: string): Promise<Certificates> {
  await mkdir(dir, { recursive: true });
  const authority = makeKeys();
  const server = makeKeys();
  const other = makeKeys();
  const files = {
    ca: pem('CERTIFICATE', makeCertificate('test authority', authority, authority, AS_AUTHORITY)),
    cert: pem('CERTIFICATE', makeCertificate('test server', server, authority, AS_SERVER)),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    otherCa: pem('CERTIFICATE', makeCertificate('other authority', other, other, AS_AUTHORITY)),
  };
  const paths = Object.entries(files).map(async ([name, text]) => {
    const path = join(dir, `${name}.pem`);
    await writeFile(path, text, { mode: 0o600 });
    return [name, path];
  });
  return Object.fromEntries(await Promise.all(paths)) as Certificates;
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function makeKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

const AS_AUTHORITY = sequence(
  BASIC_CONSTRAINTS,
  Buffer.from('0101ff', 'hex'),
  octets(sequence(der(1, [255]))),
);
const AS_SERVER = sequence(
  SUBJECT_ALTERNATIVE_NAMES,
  octets(
    sequence(
      der(0x87, Buffer.from([127, 0, 0, 1])),
      der(0x82, Buffer.from('localhost')),
      der(0x82, Buffer.from('redis.test')),
    ),
  ),
);

/** RFC 5280, section 4.1. `issuer` signs; its name is the authority's, or the certificate's own. */
function makeCertificate(name: string, { publicKey }: Keys, issuer: Keys, extension: Buffer): Buffer {
  const isOwn = issuer.publicKey === publicKey;
  const body = sequence(
    der(0xa0, der(2, [2])),
    der(2, [1, ...Buffer.from(name)]),
    sequence(ECDSA_WITH_SHA256),
    nameOf(isOwn ? name : 'test authority'),
    sequence(timeOf(Date.now() - DAY_MS), timeOf(Date.now() + 10 * DAY_MS)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', body, issuer.privateKey);
  return sequence(body, sequence(ECDSA_WITH_SHA256), der(3, Buffer.concat([Buffer.from([0]), signature])));
}

function nameOf(name: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))));
}

/** UTCTime. */
function timeOf(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

/** Tag, length, content. */
function der(tag: number, content: Uint8Array | readonly number[]): Buffer {
  const { length } = content;
  const head =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), Buffer.from(content)]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
