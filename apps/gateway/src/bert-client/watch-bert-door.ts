import { Counter, Gauge, type Registry } from 'prom-client';
import type { BertDoor } from './bert-door.ts';
import type { DoorCounters } from './door-counters.ts';
import type { DoorFigures } from './door-figures.ts';

const COUNTERS: Readonly<Record<keyof DoorCounters, readonly [name: string, help: string]>> = {
  requests: ['requests', 'Encode requests of BertClient that were read, whatever came of them.'],
  questions: ['questions', 'SHOW_CONFIG and SHOW_STATUS.'],
  texts: ['texts', 'Texts that were encoded for BertClient.'],
  receivedBytes: ['received_bytes', 'Bytes of messages that were read.'],
  sentBytes: ['sent_bytes', 'Bytes of results that were handed to ZeroMQ.'],
  results: ['results', 'Results of any kind that were handed to ZeroMQ.'],
  failed: ['failed_requests', 'Encode requests that were answered with an error.'],
  malformed: ['malformed_messages', 'Messages that are none of the protocol, and were not answered.'],
  refused: ['refused_requests', 'Encode requests beyond what a client may have here.'],
  dropped: ['dropped_results', 'Results that nobody claimed in time, or that were in the way.'],
  cut: ['cut_connections', 'Connections that were cut for what came over them.'],
  terminationsRefused: ['refused_terminations', 'TERMINATION messages that were not obeyed.'],
};

const GAUGES: Readonly<Record<keyof DoorFigures, readonly [name: string, help: string]>> = {
  connections: ['connections', 'Connections to the two ports of ZeroMQ.'],
  clients: ['clients', 'Identities that have requests or results here.'],
  requests: ['open_requests', 'Requests of BertClient that wait or are under way.'],
  calls: ['running_calls', 'Calls of the farm that are under way for them.'],
  heldBytes: ['held_bytes', 'Bytes of requests and results that the door holds.'],
};

/** The door's counters and figures on `/metrics`: `farm_gateway_bert_*`. */
export function watchBertDoor(registry: Registry, door: Pick<BertDoor, 'counters' | 'figures'>): void {
  const registers = [registry];
  for (const [field, [name, help]] of Object.entries(COUNTERS)) {
    const counter: Counter = new Counter({
      name: `farm_gateway_bert_${name}_total`,
      help,
      registers,
      collect: () => {
        counter.reset();
        counter.inc(door.counters[field as keyof DoorCounters]);
      },
    });
  }
  for (const [field, [name, help]] of Object.entries(GAUGES)) {
    const gauge: Gauge = new Gauge({
      name: `farm_gateway_bert_${name}`,
      help,
      registers,
      collect: () => gauge.set(door.figures()[field as keyof DoorFigures]),
    });
  }
}
