import { FarmError } from '@embedfarm/contract';
import { readEnv, type Env } from '@embedfarm/service/env';
import type { Command } from 'commander';
import { oneLine } from './report-fault.ts';

/** Every flag, and the variable that it stands for. A flag wins over its variable; both have the same bounds. */
const FLAGS = {
  redis: { variable: 'REDIS_URL', syntax: '--redis <url>', says: 'Redis of the farm' },
  modelDir: {
    variable: 'EMBEDFARM_MODEL',
    syntax: '--model <dir>',
    says: '"embedded", or the directory of a model',
  },
  modelName: { variable: 'EMBEDFARM_NAME', syntax: '--model <name>', says: "the model's name in the farm" },
  name: { variable: 'EMBEDFARM_NAME', syntax: '--name <name>', says: "the model's name in the farm" },
  devices: { variable: 'EMBEDFARM_DEVICES', syntax: '--devices <list>', says: 'cpu, or cpu:N for N threads' },
  slots: { variable: 'EMBEDFARM_SLOTS', syntax: '--slots <n>', says: 'batches in flight per device' },
  tokenBudget: {
    variable: 'EMBEDFARM_TOKEN_BUDGET',
    syntax: '--token-budget <n>',
    says: 'most tokens of one batch',
  },
  workers: { variable: 'EMBEDFARM_WORKERS', syntax: '--workers <n>', says: 'worker processes' },
  label: {
    variable: 'EMBEDFARM_LABEL',
    syntax: '--label <label>',
    says: 'a name for people, kept with the request',
  },
  port: { variable: 'EMBEDFARM_PORT', syntax: '--port <port>', says: 'port of the page; 0 takes a free one' },
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
    const flag = syntax.slice(0, syntax.indexOf(' '));
    const value: unknown = command.getOptionValue(optionKey(flag));
    if (typeof value !== 'string') continue;
    variables[variable] = value;
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

/** Commander's own key: `--token-budget` is `tokenBudget`. */
function optionKey(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
