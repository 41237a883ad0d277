import type { Certificates } from './certificates.ts';
import { RedisServers } from './redis-servers.ts';

/** A Redis that lets in whoever bears a certificate of its authority, over TLS alone. */
export interface TlsRedis {
  /** With the three files. */
  readonly url: string;
  /** Host and port of the TLS side. */
  readonly host: string;
  readonly certificates: Certificates;
  close(): Promise<void>;
}

/** Its certificate is made for the test; clients must have one too (`tls-auth-clients`, the default of Redis). */
export async function openTlsRedis(): Promise<TlsRedis> {
  const servers = await RedisServers.open();
  try {
    const tls = await servers.tlsSettings();
    const settings = await tls.settings();
    await servers.start({ settings });
    const host = `127.0.0.1:${settings['tls-port']}`;
    const { ca, cert, key } = tls.certificates;
    const url = `rediss://${host}?ca=${ca}&cert=${cert}&key=${key}`;
    return { url, host, certificates: tls.certificates, close: () => servers.close() };
  } catch (thrown) {
    await servers.close();
    throw thrown;
  }
}
