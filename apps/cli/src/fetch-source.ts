import { defaultCacheFolder } from '@embedfarm/checkpoint/cache-folder';
import { hubOptionsSchema } from '@embedfarm/checkpoint/hub/hub-options';
import { findModelPlace, type ModelPlace } from '@embedfarm/checkpoint/hub/model-place';
import { parseOptions } from '@embedfarm/contract';
import type { Env } from '@embedfarm/service/env';
import { ProgressBar } from './progress-bar.ts';

/**
 * The directory that is meant by a path or by the id of a hub's model, downloaded where it is not here yet. A bar
 * shows how far it is; where there is no terminal, a line says that it begins.
 *
 * @throws FarmError as `findModelPlace`.
 */
export async function fetchSource(
  model: string,
  { hubUrl, hubToken, offline, cacheDir = defaultCacheFolder() }: Env,
  signal: AbortSignal,
): Promise<ModelPlace> {
  const options = parseOptions('hub options', hubOptionsSchema, { hubUrl, hubToken, offline });
  const bar = new ProgressBar('MB');
  let shown = -1;
  try {
    return await findModelPlace(model, cacheDir, options, {
      signal,
      onDownload: ({ model: name, doneBytes, totalBytes }) => {
        const done = Math.floor(doneBytes / 1e6);
        const total = Math.ceil(totalBytes / 1e6);
        if (shown === -1 && !process.stderr.isTTY) say(`downloading ${name}, ${total} MB`);
        if (done !== shown) bar.show({ done, total });
        shown = done;
      },
      onNotice: say,
    });
  } finally {
    bar.clear();
  }
}

function say(line: string): void {
  process.stderr.write(`embedfarm: ${line}\n`);
}
