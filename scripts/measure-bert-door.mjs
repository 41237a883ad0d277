// What the door for bert-as-service's clients costs over the SDK: node scripts/measure-bert-door.mjs
// [tiny|minilm|none] [rounds]; `none` is a worker that encodes nothing, and gives 384 numbers a text.
// Calls of 2,048 texts, one after the other, by the SDK, by ZeroMQ sockets and by BertClient 1.10.0 (where
// PYTHONPATH has it: see apps/gateway/src/testing/python-client.ts) in rounds that take turns. Door, worker, Redis and
// clients are processes of their own, as in a farm.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openBertDoor } from '@embedfarm/gateway/bert-client/open-bert-door';
import { Push, Subscriber } from 'zeromq';
import { measureDoor, timed } from './measure-door.mjs';
import { ROOT } from './run-tool.mjs';

const PYTHON_PACKAGES = join(ROOT, '.embedfarm', 'bert-serving-client-1.10.0');
const PYTHON = `
import json, sys, time
from bert_serving.client import BertClient
with BertClient(port=int(sys.argv[1]), port_out=int(sys.argv[2]), check_length=False) as bc:
    for line in sys.stdin:
        texts = json.loads(line)
        started = time.perf_counter()
        assert bc.encode(texts).shape[0] == len(texts)
        print(time.perf_counter() - started, flush=True)
`;

/** Each encodes the texts, and tells the seconds that it took. */
const CLIENTS = {
  async zeromq({ portIn, portOut }) {
    const sender = new Push({ linger: 0 });
    const receiver = new Subscriber({ linger: 0 });
    const identity = crypto.randomUUID();
    sender.connect(`tcp://127.0.0.1:${portIn}`);
    receiver.subscribe(identity);
    receiver.connect(`tcp://127.0.0.1:${portOut}`);
    let id = 0;
    return (texts) =>
      timed(async () => {
        id += 1;
        await sender.send([identity, JSON.stringify(texts), String(id), String(texts.length)]);
        const [, header, values] = await receiver.receive();
        const { shape } = JSON.parse(String(header));
        if (shape[0] !== texts.length || values.length !== shape[0] * shape[1] * 4)
          throw new Error(String(header));
      });
  },
};

await measureDoor({
  own: fileURLToPath(import.meta.url),
  async openDoor(redis) {
    const { portIn, portOut } = await openBertDoor({ redis, portIn: 0, portOut: 0 });
    return { portIn, portOut };
  },
  findTarget: (redis, ports) => ({ redis, ...ports }),
  clients: CLIENTS,
  openOthers: (ports, keep) => ({ python: openPython(ports, keep) }),
});

function openPython({ portIn, portOut }, keep) {
  const python = spawn('python3', ['-c', PYTHON, String(portIn), String(portOut)], {
    env: { ...process.env, PYTHONPATH: PYTHON_PACKAGES },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  keep(python);
  const lines = createInterface(python.stdout)[Symbol.asyncIterator]();
  return async (texts) => {
    python.stdin.write(`${JSON.stringify(texts)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('the Python client has ended');
    return Number(value);
  };
}
