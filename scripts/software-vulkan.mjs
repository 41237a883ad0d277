// A Vulkan that needs no graphics card, for the tests of WebGPU: SwiftShader, with a loader, out of Debian's
// chromium-common. 32 MB from the system's own package sources, 6 MB kept; nothing is installed.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './run-tool.mjs';

const FOLDER = join(ROOT, '.embedfarm', 'software-vulkan');
const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'];
const PACKAGE = 'chromium-common';
const LIMIT_MS = 60_000;

/** Fetches it unless it is there. Says why where it cannot: the tests are skipped then. */
export function ensureSoftwareVulkan() {
  if (existsSync(FOLDER)) return;
  const reason = fetchSoftwareVulkan(Date.now() + LIMIT_MS);
  console.log(reason === undefined ? `Software Vulkan: ${FOLDER}` : `No software Vulkan: ${reason}`);
}

function fetchSoftwareVulkan(deadline) {
  if (process.platform !== 'linux') return 'it is fetched on Debian alone';
  mkdirSync(join(ROOT, '.embedfarm'), { recursive: true });
  const work = mkdtempSync(`${FOLDER}.`);
  try {
    const run = (command, ...args) => {
      const timeout = Math.max(1, deadline - Date.now());
      const { status } = spawnSync(command, args, { cwd: work, stdio: 'ignore', timeout });
      return status === 0;
    };
    // Only root may renew the list of packages; anybody may download what is in it.
    const download = () => run('apt-get', 'download', PACKAGE);
    if (!download() && !(run('apt-get', 'update') && download())) {
      return `apt-get does not give ${PACKAGE} in ${LIMIT_MS / 1_000} s`;
    }
    const [deb] = readdirSync(work);
    if (!run('dpkg-deb', '-x', deb, 'unpacked')) return `${deb} cannot be unpacked`;
    const kept = join(work, 'kept');
    for (const file of FILES) cpSync(join(work, 'unpacked/usr/lib/chromium', file), join(kept, file));
    renameSync(kept, FOLDER);
    return undefined;
  } catch (error) {
    return existsSync(FOLDER) ? undefined : error.message;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) ensureSoftwareVulkan();
