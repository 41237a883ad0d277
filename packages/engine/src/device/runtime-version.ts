import { createRequire } from 'node:module';

/** Of onnxruntime-node, without loading it: part of the keys of what is made or measured with it. */
export function runtimeVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('onnxruntime-node/package.json') as { version: string }).version;
}
