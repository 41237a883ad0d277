// What OpenAI's door costs over the SDK: node scripts/measure-gateway.mjs [tiny|minilm|none] [rounds]; `none` is a worker
// that encodes nothing, and gives 384 numbers a text. Calls of 2,048 texts, one after the other, by the SDK, by OpenAI's
// own client (base64, which it asks for and turns into numbers) and by fetch, which leaves base64 as it is, in rounds that
// take turns. Gateway, worker, Redis and clients are processes of their own, as in a farm.
import { fileURLToPath } from 'node:url';
import { openGateway } from '@embedfarm/gateway/gateway';
import OpenAI from 'openai';
import { measureDoor, timed } from './measure-door.mjs';

/** Each encodes the texts, and tells the seconds that it took. */
const CLIENTS = {
  async openai({ url, model }) {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
    return (input) =>
      timed(async () => {
        const { data } = await client.embeddings.create({ model, input });
        if (data.length !== input.length || typeof data[0].embedding[0] !== 'number')
          throw new Error('short');
      });
  },
  async fetch({ url, model }) {
    return (input) =>
      timed(async () => {
        const answer = await fetch(`${url}/v1/embeddings`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ model, input, encoding_format: 'base64' }),
        });
        if (!answer.ok) throw new Error(await answer.text());
        const { data } = await answer.json();
        if (data.length !== input.length) throw new Error('short');
      });
  },
};

await measureDoor({
  own: fileURLToPath(import.meta.url),
  async openDoor(redis) {
    const { url } = await openGateway({ redis, port: 0 });
    return url;
  },
  findTarget: async (redis, url) => ({ redis, url, model: await servedModel(url) }),
  clients: CLIENTS,
});

/** The name of the model, when a worker serves it. */
async function servedModel(url) {
  for (;;) {
    if ((await fetch(`${url}/readyz`)).status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { data } = await (await fetch(`${url}/v1/models`)).json();
  return data[0].id;
}
