import { BatchStore } from '@embedfarm/farm/batches';
import { FileStore } from '@embedfarm/farm/files';
import type { Logger } from '@embedfarm/service/logger';
import type { RequestHandler, Router } from 'express';
import type { FarmLink } from '../farm-link.ts';
import type { OpenRequests } from '../http/open-requests.ts';
import type { BatchPorts } from './batch-hand.ts';
import { BatchRunner } from './batch-runner.ts';
import { batchesDoor } from './batches-door.ts';
import { filesDoor } from './files-door.ts';

export interface BatchesOptions {
  readonly redis: string;
  readonly prefix: string | undefined;
  readonly maxFileBytes: number;
  readonly maxFilesBytes: number;
  readonly link: FarmLink;
  readonly chargeKey: BatchPorts['chargeKey'];
  readonly logger: Logger | undefined;
}

/** Files and batches of a gateway, and what brings them on. */
export class OpenBatches {
  readonly #ports: BatchPorts;
  readonly #runner: BatchRunner;
  readonly #maxFileBytes: number;

  private constructor({
    redis,
    prefix,
    maxFileBytes,
    maxFilesBytes,
    link,
    chargeKey,
    logger,
  }: BatchesOptions) {
    const files = FileStore.open({ redis, prefix, maxFileBytes, maxHeldBytes: maxFilesBytes });
    this.#ports = { files, batches: BatchStore.open({ redis, prefix }), link, chargeKey };
    this.#maxFileBytes = maxFileBytes;
    this.#runner = BatchRunner.open(this.#ports, logger);
  }

  static open(options: BatchesOptions): OpenBatches {
    return new OpenBatches(options);
  }

  doors(open: OpenRequests, body: readonly RequestHandler[]): Router[] {
    const ports = { ...this.#ports, open, maxFileBytes: this.#maxFileBytes };
    return [filesDoor(ports), batchesDoor({ ...this.#ports, kick: () => this.#runner.kick() }, body)];
  }

  /** Takes up no more batches, and leaves those in hand to other gateways after `graceMs`. */
  async drain(options: { graceMs: number }): Promise<void> {
    await this.#runner.close(options);
  }

  /** After the drain. */
  close(): void {
    this.#ports.files.close();
    this.#ports.batches.close();
  }
}
