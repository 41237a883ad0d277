import type { NewFarmLimits } from '@embedfarm/sdk';
import { Command, InvalidArgumentError } from 'commander';
import { limitsTable } from '../limits-table.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { withFarm } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['redis'];

interface LimitsFlags extends NewFarmLimits {
  readonly weight: readonly (readonly [tenant: string, weight: number])[];
  readonly json?: true;
}

export function limitsCommand(): Command {
  const command = new Command('limits')
    .description(
      "Print, or set, what the farm may hold and how tenants share its bulk lane; it's for all clients.",
    )
    .option('--texts <n>', 'most texts that wait or are being encoded', parseNumber)
    .option('--bytes <n>', 'most bytes of texts and results; none: as far as memory goes', parseBytes)
    .option('--memory-share <share>', "share of Redis' memory above which nothing more is taken", parseNumber)
    .option(
      '--weight <tenant=n>',
      'a tenant gets n times what one of weight 1 gets; again for more',
      gatherWeight,
      [],
    )
    .option('--json', 'print one JSON object')
    .action(async ({ weight, json, ...limits }: LimitsFlags) => {
      const settings = readSettings(command, FLAGS);
      await withFarm(settings.redis, async (farm) => {
        if (Object.keys(limits).length > 0) await farm.setLimits(limits);
        for (const [tenant, share] of weight) await farm.setWeight(tenant, share);
        const set = { ...(await farm.limits()), weights: await farm.weights() };
        const { admission } = await farm.status();
        process.stdout.write(
          json ? `${JSON.stringify({ ...set, held: admission })}\n` : limitsTable(set, admission),
        );
      });
    });
  return addFlags(command, FLAGS);
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number.');
}

function parseBytes(text: string): number | null {
  return text === 'none' ? null : parseNumber(text);
}

function gatherWeight(text: string, before: LimitsFlags['weight']): LimitsFlags['weight'] {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be TENANT=NUMBER.');
  return [...before, [text.slice(0, at), parseNumber(text.slice(at + 1))]];
}
