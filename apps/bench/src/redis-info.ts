import { connect } from 'node:net';

const TIMEOUT_MS = 5_000;

/** What a Redis on 127.0.0.1 says of itself. */
export interface RedisInfo {
  readonly version: string;
  /** Of all its threads since its start. */
  readonly cpuSeconds: number;
  /** Most that it had in use since its start. */
  readonly peakMemoryBytes: number;
}

/**
 * Asks with an inline command, so that the bench needs no Redis library of its own.
 *
 * @param server its port on 127.0.0.1, or its URL.
 */
export async function readRedisInfo(server: number | URL): Promise<RedisInfo> {
  const info = await talk(placeOf(server), `${loginOf(server)}INFO\r\nQUIT\r\n`);
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  return {
    version: field('redis_version'),
    cpuSeconds: Number(field('used_cpu_sys')) + Number(field('used_cpu_user')),
    peakMemoryBytes: Number(field('used_memory_peak')),
  };
}

function placeOf(server: number | URL): { host: string; port: number } {
  if (typeof server === 'number') return { host: '127.0.0.1', port: server };
  return { host: server.hostname, port: Number(server.port || 6_379) };
}

function loginOf(server: number | URL): string {
  if (typeof server === 'number' || server.password === '') return '';
  const words = [server.username, server.password].filter((word) => word !== '').map(decodeURIComponent);
  return `AUTH ${words.map((word) => JSON.stringify(word)).join(' ')}\r\n`;
}

function talk(place: { host: string; port: number }, commands: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(place, () => socket.write(commands));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (answer += text));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`Redis gave no INFO in ${TIMEOUT_MS} ms`)));
    socket.once('error', reject);
    socket.once('end', () => resolve(answer));
  });
}
