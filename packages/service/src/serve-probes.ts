import { closeServer, listen, urlOf } from './listen.ts';
import { probeListener, type Probed } from './probe.ts';

export interface ProbeServer {
  readonly url: string;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/**
 * `/metrics`, `/healthz` and `/readyz` of a process that has no other server.
 *
 * @param port 0 takes a free one.
 * @throws FarmError `invalid_argument` when the port is taken or the address is not this machine's.
 */
export async function serveProbes(
  probed: Probed,
  { port, host }: { port: number; host: string },
): Promise<ProbeServer> {
  const server = await listen(probeListener(probed), port, host);
  let closing: Promise<void> | undefined;
  return { url: urlOf(server), close: () => (closing ??= closeServer(server)) };
}
