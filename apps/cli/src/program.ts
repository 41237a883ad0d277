import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { benchCommand } from './commands/bench.ts';
import { cancelCommand } from './commands/cancel.ts';
import { convertCommand } from './commands/convert.ts';
import { dashboardCommand } from './commands/dashboard.ts';
import { encodeCommand } from './commands/encode.ts';
import { gatewayCommand } from './commands/gateway.ts';
import { limitsCommand } from './commands/limits.ts';
import { requestsCommand } from './commands/requests.ts';
import { resultCommand } from './commands/result.ts';
import { retryCommand } from './commands/retry.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { submitCommand } from './commands/submit.ts';
import { workerCommand } from './commands/worker.ts';

/** The one command, `embedfarm`. */
export function createProgram(): Command {
  const program = new Command('embedfarm')
    .description('Embed text with exact BERT models: a queue of jobs, and workers that share them.')
    .version(ownVersion())
    .showHelpAfterError('(embedfarm --help shows what there is)');
  const commands = [
    startCommand,
    workerCommand,
    dashboardCommand,
    gatewayCommand,
    encodeCommand,
    submitCommand,
    requestsCommand,
    resultCommand,
    cancelCommand,
    retryCommand,
    statusCommand,
    limitsCommand,
    convertCommand,
    benchCommand,
  ];
  for (const create of commands) program.addCommand(create());
  for (const command of [program, ...program.commands]) {
    command.exitOverride();
    command.configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'embedfarm: ')),
    });
  }
  return program;
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
