import type { FarmStatus } from '@embedfarm/sdk';
import type { DoorPorts } from '../http/door-ports.ts';
import { servedModel } from '../http/served-model.ts';

/** The version whose clients are served. */
const SERVER_VERSION = '1.10.0';

/** What the farm knows of what bert-as-service tells of itself, under the same names; what it has not is left out. */
export function serverStatus(status: FarmStatus, { model, metrics, startedAt }: DoorPorts): unknown {
  const served = servedModel(status, model);
  return {
    model_dir: served.model,
    max_seq_len: served.maxSequenceLength,
    pooling_strategy: served.pooling,
    num_worker: served.workers,
    device_map: status.devices.map(({ name }) => name),
    cpu: status.devices.every(({ name }) => name.startsWith('cpu')),
    server_version: SERVER_VERSION,
    server_start_time: startedAt.toISOString(),
    server_current_time: new Date().toISOString(),
    show_tokens_to_client: false,
    statistic: {
      num_data_request: metrics.totals.requests,
      num_total_seq: metrics.totals.texts,
      num_total_client: status.clients,
      num_active_client: status.clients,
    },
    queue_depth: status.backlog,
    status: 200,
  };
}

/** The gateway is one client of the farm, whoever calls it. */
export function clientStatus(identity: string, requests: number): unknown {
  return { identity, num_request: requests, num_response: requests, status: 200 };
}
