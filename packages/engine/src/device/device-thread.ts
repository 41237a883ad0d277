import { parentPort, workerData } from 'node:worker_threads';
import { FarmError } from '@embedfarm/contract/farm-error';
import type { SequenceBatch } from '../batch/sequence-batch.ts';
import { answerCalls, type Answer } from '../thread/thread-call.ts';
import type { OnnxDeviceOptions } from './onnx-device-options.ts';
import { OnnxDevice } from './onnx-device.ts';

/** What a ThreadedDevice asks its thread. */
export type DeviceRequest =
  | { readonly kind: 'open' }
  | ({ readonly kind: 'encode' } & SequenceBatch)
  | { readonly kind: 'close' };

// The entry of a device's thread: it is loaded by threaded-device.ts alone.
if (parentPort) {
  const port = parentPort;
  let device: OnnxDevice | undefined;
  answerCalls(port, async (data): Promise<Answer> => {
    const request = data as DeviceRequest;
    switch (request.kind) {
      case 'open': {
        device = await OnnxDevice.open(workerData as OnnxDeviceOptions);
        return { value: undefined };
      }
      case 'encode': {
        if (!device) throw new FarmError('internal', 'the device is not open');
        const rows = await device.encode(request);
        return { value: rows, transfer: [rows.buffer as ArrayBuffer] };
      }
      case 'close': {
        await device?.close();
        // After the answer: without its port the thread has nothing to wait for, and ends.
        setImmediate(() => port.close());
        return { value: undefined };
      }
    }
  });
}
