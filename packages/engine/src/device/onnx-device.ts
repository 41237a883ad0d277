import { FarmError } from '@embedfarm/contract/farm-error';
import type { InferenceSession } from 'onnxruntime-node';
import type { SequenceBatch } from '../batch/sequence-batch.ts';
import { checkBatch } from './check-batch.ts';
import type { Device } from './device.ts';
import type { OnnxDeviceOptions, OnnxEncoder } from './onnx-device-options.ts';
import { packedEncoder } from './packed-encoder.ts';
import { paddedEncoder } from './padded-encoder.ts';
import { poolHidden } from './pool-hidden.ts';
import { providerFault } from './provider-fault.ts';
import { runError } from './run-error.ts';
import { sessionOptions } from './session-options.ts';

/**
 * A model under onnxruntime: on a core, or on a card. `encode` blocks its thread while the model runs
 * (https://github.com/microsoft/onnxruntime/issues/19611), so it lives in a thread of its own.
 */
export class OnnxDevice implements Device {
  readonly name: string;
  readonly dimensions: number;
  readonly #options: OnnxDeviceOptions;
  readonly #session: InferenceSession;
  readonly #encoder: OnnxEncoder;
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(options: OnnxDeviceOptions, session: InferenceSession, encoder: OnnxEncoder) {
    this.name = options.name;
    this.dimensions = options.dimensions;
    this.#options = options;
    this.#session = session;
    this.#encoder = encoder;
  }

  /**
   * @throws FarmError `invalid_argument` for a file that is no model, or one with other inputs or outputs, and
   *   for a provider that does not load.
   */
  static async open(options: OnnxDeviceOptions): Promise<OnnxDevice> {
    const runtime = await import('onnxruntime-node');
    const session = await runtime.InferenceSession.create(options.modelFile, sessionOptions(options)).catch(
      (cause: Error) => {
        const fault = providerFault(options.name, cause.message);
        throw fault ?? new FarmError('invalid_argument', `${options.modelFile}: ${cause.message}`, { cause });
      },
    );
    try {
      const openEncoder = options.graph === 'packed' ? packedEncoder : paddedEncoder;
      return new OnnxDevice(options, session, openEncoder(session, runtime.Tensor, options));
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  encode(batch: SequenceBatch): Promise<Float32Array> {
    if (this.#closing) return Promise.reject(new FarmError('device_lost', `${this.name} is closed`));
    const run = this.#last.then(() => this.#run(batch));
    this.#last = run.catch(() => undefined);
    return run;
  }

  async #run(batch: SequenceBatch): Promise<Float32Array> {
    checkBatch(batch, this.#options);
    try {
      return poolHidden(await this.#encoder(batch), this.#options.pooling);
    } catch (thrown) {
      throw runError(this.name, thrown);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#last.then(() => this.#session.release());
    return this.#closing;
  }
}
