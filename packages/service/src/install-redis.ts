import { FarmError } from '@embedfarm/contract';
import { findCommand, findRedisServer } from './find-command.ts';
import { runCommand } from './run-command.ts';

// apt-get fetches its lists and 2 MB of packages; a slow line may need minutes.
const INSTALL_TIMEOUT_MS = 300_000;

// policy-rc.d keeps the package from starting a service on the default port
// (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt). apt-get update may fail for one
// source of many, so the install decides.
const APT_SCRIPT = `
command -v redis-server && exit 0
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\\nexit 101\\n' > $policy && chmod +x $policy
  trap 'rm -f $policy' EXIT
  trap 'exit 1' HUP INT TERM
fi
apt-get update
apt-get install --yes --no-install-recommends redis-server
`;

/**
 * Installs redis-server where that takes no password: root on Debian, or Homebrew. Says so first. Several
 * processes may ask at once; one installs.
 *
 * @returns whether redis-server or valkey-server is there now; false where there is no such installer.
 * @throws FarmError `redis_unavailable` when the installer failed.
 */
export async function installRedis(print: (line: string) => void): Promise<boolean> {
  const installer = await findInstaller();
  if (installer === undefined) return false;
  print(`No Redis here: installing one with ${installer.name} …`);
  const result = await runCommand(installer.command, installer.args, {
    timeoutMs: INSTALL_TIMEOUT_MS,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
  if ((await findRedisServer()) !== undefined) return true;
  const lines = result.output.trim().split('\n').slice(-5).join('\n');
  throw new FarmError('redis_unavailable', `${installer.name} failed (exit ${result.exitCode}):\n${lines}`);
}

interface Installer {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

async function findInstaller(): Promise<Installer | undefined> {
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    const [aptGet, flock] = await Promise.all([findCommand('apt-get'), findCommand('flock')]);
    if (aptGet !== undefined && flock !== undefined) {
      const args = ['/run/embedfarm-install-redis.lock', 'sh', '-c', APT_SCRIPT];
      return { name: 'apt-get (redis-server)', command: flock, args };
    }
  }
  const brew = await findCommand('brew');
  if (brew === undefined) return undefined;
  return { name: 'Homebrew (redis)', command: brew, args: ['install', 'redis'] };
}
