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

/** Asks with an inline command, so that the bench needs no Redis library of its own. */
export async function readRedisInfo(port: number): Promise<RedisInfo> {
  const info = await talk(port, 'INFO\r\nQUIT\r\n');
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  return {
    version: field('redis_version'),
    cpuSeconds: Number(field('used_cpu_sys')) + Number(field('used_cpu_user')),
    peakMemoryBytes: Number(field('used_memory_peak')),
  };
}

function talk(port: number, commands: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(commands));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (answer += text));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`Redis gave no INFO in ${TIMEOUT_MS} ms`)));
    socket.once('error', reject);
    socket.once('end', () => resolve(answer));
  });
}
