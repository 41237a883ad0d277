// A Chromium for the tests that look at the real page, and for the pictures of it: Debian's own, with apt-get,
// where root may install one. Nothing is done where one is there already.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
// 81 MB and what it needs; a slow line may take minutes.
const LIMIT_MS = 300_000;

/** A browser's path; undefined where there is none. */
export function findChromium() {
  return process.env['EMBEDFARM_TEST_CHROMIUM'] || findCommand(COMMANDS);
}

/** Installs one unless it is there. Says why where it cannot: the tests that need it are skipped then. */
export function ensureChromium() {
  if (findChromium() !== undefined) return;
  const reason = installChromium(Date.now() + LIMIT_MS);
  console.log(reason === undefined ? `Chromium: ${findChromium()}` : `No Chromium: ${reason}`);
}

function installChromium(deadline) {
  if (process.platform !== 'linux' || findCommand(['apt-get']) === undefined) {
    return 'it is installed on Debian alone; put one into PATH, or name it in EMBEDFARM_TEST_CHROMIUM';
  }
  if (process.getuid() !== 0) return 'only root may install it: apt-get install chromium';
  console.log('No Chromium here: installing one with apt-get …');
  const run = (...args) => {
    const timeout = Math.max(1, deadline - Date.now());
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    // SIGTERM, so that dpkg ends what it has begun.
    return spawnSync('apt-get', args, { env, stdio: 'ignore', timeout }).status === 0;
  };
  const install = () => run('install', '--yes', '--no-install-recommends', 'chromium');
  // The lists may be there already, and one source of many may fail.
  if (install()) return undefined;
  run('update');
  return install() ? undefined : `apt-get does not install it in ${LIMIT_MS / 1_000} s`;
}

function findCommand(names) {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) ensureChromium();
