import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FarmError } from '@embedfarm/contract';

/** Connections that come at once and are not taken yet; the system has a limit of its own, 4,096 on Linux. */
const BACKLOG = 4_096;

/**
 * A server that takes connections.
 *
 * @throws FarmError `invalid_argument` when the port is taken or the address is not this machine's.
 */
export async function listen(handler: RequestListener, port: number, host: string): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const fault = cause.code === 'EADDRINUSE' ? 'the port is taken' : cause.message;
      reject(new FarmError('invalid_argument', `cannot listen on ${host}:${port}: ${fault}`, { cause }));
    });
    server.listen(port, host, BACKLOG, resolve);
  });
  return server;
}

/** Where a browser on this machine finds the server. */
export function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  if (address === '0.0.0.0' || address === '::') return `http://localhost:${port}`;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Ends every connection, idle or not. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeAllConnections();
  await closed;
}
