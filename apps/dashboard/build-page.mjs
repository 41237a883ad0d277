// Bundles page/ into public/, which the dashboard serves. Nothing runs when nothing has changed.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('page/', import.meta.url));
const PUBLIC = fileURLToPath(new URL('public/', import.meta.url));
/** The server serves no file that begins with a dot. */
const STAMP = `${PUBLIC}.built-from`;

const builtFrom = hashOfInputs();
if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== builtFrom) {
  await bundle();
  copyPlainPages();
  writeFileSync(STAMP, builtFrom);
}

function hashOfInputs() {
  const hash = createHash('sha256');
  const files = readdirSync(PAGE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`)
    .toSorted();
  for (const file of [...files, fileURLToPath(import.meta.url)]) {
    hash.update(`${file.slice(PAGE.length)}\n`).update(readFileSync(file));
  }
  // What is bundled, and what bundles.
  const require = createRequire(import.meta.url);
  for (const name of ['uplot', 'vite']) hash.update(require(`${name}/package.json`).version);
  // The one file of another package that the page is made of.
  hash.update(readFileSync(fileURLToPath(import.meta.resolve('@embedfarm/farm/buckets'))));
  return hash.digest('hex');
}

async function bundle() {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: PAGE,
    // Every address is relative, so that the page works below any path.
    base: './',
    logLevel: 'warn',
    build: {
      outDir: PUBLIC,
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: false,
      // A data: address would need a hole in the content security policy.
      assetsInlineLimit: 0,
      // Names without a hash: each answer is asked for again by its ETag, so none is ever stale.
      rolldownOptions: {
        output: {
          entryFileNames: 'board.js',
          chunkFileNames: '[name].js',
          assetFileNames: ({ names }) => (names[0]?.endsWith('.css') ? 'board.css' : '[name][extname]'),
        },
      },
    },
    plugins: [{ name: 'plain-addresses', enforce: 'post', generateBundle: plainAddresses }],
  });
}

/** Pages beside the board, that have no script, are as they stand: `name.html` and `name.css`. */
function copyPlainPages() {
  for (const name of readdirSync(PAGE)) {
    if (/\.(?:html|css)$/u.test(name) && name !== 'index.html') copyFileSync(PAGE + name, PUBLIC + name);
  }
}

/** `./board.js` as `board.js`: files of this very origin need no word on origins. */
function plainAddresses(_options, bundle) {
  const page = bundle['index.html'];
  page.source = page.source.replaceAll(' crossorigin', '').replaceAll('="./', '="');
}
