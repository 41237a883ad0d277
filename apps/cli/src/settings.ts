import { FarmError } from '@embedfarm/contract';
import { readEnv, type Env } from '@embedfarm/service/env';
import type { Command } from 'commander';
import { oneLine } from './report-fault.ts';

/** Every flag, and the variable that it stands for. A flag wins over its variable; both have the same bounds. */
const FLAGS = {
  redis: {
    variable: 'REDIS_URL',
    syntax: '--redis <url>',
    says: 'Redis of the farm: one server, redis+sentinel:// or redis+cluster://',
  },
  modelDir: {
    variable: 'EMBEDFARM_MODEL',
    syntax: '--model <model>',
    says: '"embedded", the directory of a model, or org/name[@revision] on the hub',
  },
  modelName: { variable: 'EMBEDFARM_NAME', syntax: '--model <name>', says: "the model's name in the farm" },
  name: { variable: 'EMBEDFARM_NAME', syntax: '--name <name>', says: "the model's name in the farm" },
  devices: {
    variable: 'EMBEDFARM_DEVICES',
    syntax: '--devices <list>',
    says: 'cpu, cpu:N for N threads, cuda:0, webgpu, several with commas between, or auto',
  },
  slots: { variable: 'EMBEDFARM_SLOTS', syntax: '--slots <n>', says: 'batches in flight per device' },
  tokenBudget: {
    variable: 'EMBEDFARM_TOKEN_BUDGET',
    syntax: '--token-budget <n>',
    says: 'most tokens of one batch; measured where it is not said',
  },
  calibrate: {
    variable: 'EMBEDFARM_CALIBRATE',
    syntax: '--calibrate',
    says: 'measure the best token budget at the start, once: the default',
  },
  noCalibrate: {
    variable: 'EMBEDFARM_CALIBRATE',
    syntax: '--no-calibrate',
    says: 'take the default token budget, measure nothing',
  },
  lowLatency: {
    variable: 'EMBEDFARM_LOW_LATENCY',
    syntax: '--low-latency',
    says: 'a lone text may take all cores while nothing else runs: the default',
  },
  noLowLatency: {
    variable: 'EMBEDFARM_LOW_LATENCY',
    syntax: '--no-low-latency',
    says: 'every batch takes one core; saves the memory of a session',
  },
  pooling: {
    variable: 'EMBEDFARM_POOLING',
    syntax: '--pooling <name>',
    says: 'none, mean, max, mean_max, cls, last_token or cls_pooled',
  },
  poolingLayers: {
    variable: 'EMBEDFARM_POOLING_LAYERS',
    syntax: '--pooling-layers <list>',
    says: 'encoder blocks that are pooled, side by side: -1 is the last, -1,-2 the last two',
  },
  dtype: {
    variable: 'EMBEDFARM_DTYPE',
    syntax: '--dtype <name>',
    says: "how the model's matrices are kept: float32, or int8 (faster, checked against float32)",
  },
  verify: {
    variable: 'EMBEDFARM_VERIFY',
    syntax: '--verify',
    says: 'read and check every byte of the model and of what is cached of it',
  },
  normalize: {
    variable: 'EMBEDFARM_NORMALIZE',
    syntax: '--normalize',
    says: 'vectors of length 1',
  },
  noNormalize: {
    variable: 'EMBEDFARM_NORMALIZE',
    syntax: '--no-normalize',
    says: 'vectors as they come',
  },
  cased: { variable: 'EMBEDFARM_CASED', syntax: '--cased', says: 'capitals and accents stay' },
  maxSeqLen: {
    variable: 'EMBEDFARM_MAX_SEQ_LEN',
    syntax: '--max-seq-len <n>',
    says: 'longest sequence in tokens, special ones included; the rest is cut',
  },
  maskClsSep: {
    variable: 'EMBEDFARM_MASK_CLS_SEP',
    syntax: '--mask-cls-sep',
    says: 'special tokens are neither attended to nor pooled',
  },
  bertAsServiceDefaults: {
    variable: 'EMBEDFARM_BERT_AS_SERVICE_DEFAULTS',
    syntax: '--bert-as-service-defaults',
    says: 'mean of layer -2, 25 tokens, not normalized, where nothing else is said',
  },
  hubUrl: {
    variable: 'EMBEDFARM_HUB_URL',
    syntax: '--hub-url <url>',
    says: 'where models are downloaded: https://huggingface.co, or a mirror',
  },
  offline: {
    variable: 'EMBEDFARM_OFFLINE',
    syntax: '--offline',
    says: 'models come from the cache, nothing is downloaded',
  },
  workers: { variable: 'EMBEDFARM_WORKERS', syntax: '--workers <n>', says: 'worker processes' },
  webhookHosts: {
    variable: 'EMBEDFARM_WEBHOOK_HOSTS',
    syntax: '--webhook-hosts <list>',
    says: 'a.example.com,*.example.org: hosts that webhooks may go to; they are signed with EMBEDFARM_WEBHOOK_SECRET',
  },
  label: {
    variable: 'EMBEDFARM_LABEL',
    syntax: '--label <label>',
    says: 'a name for people, kept with the request',
  },
  metricsPort: {
    variable: 'EMBEDFARM_METRICS_PORT',
    syntax: '--metrics-port <port>',
    says: 'serve /metrics, /healthz and /readyz there; 0 takes a free one, without it there are none',
  },
  otel: {
    variable: 'EMBEDFARM_OTEL',
    syntax: '--otel',
    says: 'spans of jobs for the OpenTelemetry SDK that node was started with (--import)',
  },
  gatewayPort: {
    variable: 'EMBEDFARM_GATEWAY_PORT',
    syntax: '--port <port>',
    says: 'port of the HTTP doors, 8080 where nothing is said; 0 takes a free one',
  },
  gatewayModel: {
    variable: 'EMBEDFARM_NAME',
    syntax: '--model <name>',
    says: 'the model of calls that name none; not needed where the farm serves one',
  },
  gatewayKeys: {
    variable: 'EMBEDFARM_GATEWAY_KEYS',
    syntax: '--keys <file>',
    says: 'a JSON file of who may call: see docs/gateway.md; without it anybody may',
  },
  corsOrigins: {
    variable: 'EMBEDFARM_CORS_ORIGINS',
    syntax: '--cors-origins <list>',
    says: 'https://a.example.com,…: origins of pages that may call, or *',
  },
  bertClient: {
    variable: 'EMBEDFARM_BERT_CLIENT',
    syntax: '--bert-client',
    says: 'serve BertClient of bert-as-service too, over ZeroMQ: see docs/bert-client.md',
  },
  bertPortIn: {
    variable: 'EMBEDFARM_BERT_PORT_IN',
    syntax: '--bert-port-in <port>',
    says: 'port that BertClient sends to, 5555 where nothing is said; 0 takes a free one',
  },
  bertPortOut: {
    variable: 'EMBEDFARM_BERT_PORT_OUT',
    syntax: '--bert-port-out <port>',
    says: 'port that BertClient hears its results on, 5556 where nothing is said',
  },
  bertHost: {
    variable: 'EMBEDFARM_BERT_HOST',
    syntax: '--bert-host <address>',
    says: 'address of those ports, which ask for no key: 127.0.0.1, or 0.0.0.0 for all',
  },
  bertShowTokens: {
    variable: 'EMBEDFARM_BERT_SHOW_TOKENS',
    syntax: '--bert-show-tokens',
    says: 'results for BertClient carry the tokens of their texts',
  },
  bertAllowTermination: {
    variable: 'EMBEDFARM_BERT_ALLOW_TERMINATION',
    syntax: '--bert-allow-termination',
    says: 'bert-serving-terminate ends the gateway',
  },
  port: { variable: 'EMBEDFARM_PORT', syntax: '--port <port>', says: 'port of the page; 0 takes a free one' },
  host: {
    variable: 'EMBEDFARM_HOST',
    syntax: '--host <address>',
    says: 'address to listen on: 127.0.0.1, or 0.0.0.0 for all',
  },
} as const;

export type FlagName = keyof typeof FLAGS;

/** Gives a command these flags. */
export function addFlags(command: Command, names: readonly FlagName[]): Command {
  for (const name of names) {
    const { syntax, says, variable } = FLAGS[name];
    command.option(syntax, `${says} (env ${variable})`);
  }
  return command;
}

/**
 * Flags over environment, checked. A fault ends the command as wrong usage, and names the flag or variable.
 *
 * @param names the flags that the command has.
 */
export function readSettings(command: Command, names: readonly FlagName[]): Env {
  const variables: NodeJS.ProcessEnv = { ...process.env };
  const given = new Map<string, string>();
  for (const name of names) {
    const { variable, syntax } = FLAGS[name];
    const [flag = syntax] = syntax.split(' ');
    const value: unknown = command.getOptionValue(optionKey(flag));
    if (typeof value !== 'string' && typeof value !== 'boolean') continue;
    variables[variable] = String(value);
    given.set(variable, flag);
  }
  try {
    return readEnv(variables);
  } catch (thrown) {
    const fault = FarmError.from(thrown);
    let text = oneLine(fault.detail.replace(/^environment: /, ''));
    for (const [variable, flag] of given) text = text.replaceAll(`at ${variable}`, `at ${flag}`);
    return command.error(`error: ${text}`);
  }
}

/** Commander's own key: `--token-budget` is `tokenBudget`, `--no-normalize` a false `normalize`. */
function optionKey(flag: string): string {
  return flag.replace(/^--(?:no-)?/, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
