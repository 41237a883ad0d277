const HOUR_MS = 3_600_000;

/** Limits of files and batches, lower than OpenAI's: docs/gateway.md tells them. */
export const MAX_BATCH_LINES = 50_000;
/** Texts of all lines together. */
export const MAX_BATCH_TEXTS = 500_000;
/** Combinations of model, dimensions and kind of text: each is a request of the farm. */
export const MAX_BATCH_GROUPS = 16;
export const MAX_LINE_BYTES = 4_194_304;
export const MAX_CUSTOM_ID_LENGTH = 512;
/** Faults that a batch that cannot be run tells of. */
export const MAX_TOLD_FAULTS = 100;

/** How long files are kept that do not say it, and outputs after the end of their batch. */
export const DEFAULT_FILE_TTL_MS = 24 * HOUR_MS;
export const MIN_TTL_SECONDS = 3_600;
/** As long as the farm keeps results at most. */
export const MAX_TTL_SECONDS = 2_592_000;
/** A batch is known for so long after its output is gone. */
export const RECORD_TTL_MS = 24 * HOUR_MS;
