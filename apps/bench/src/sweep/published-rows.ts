/**
 * What bert-as-service has published of itself: sequences/s of its final README (commit 4fa46b6, 2018-12-05), with one
 * Tesla M40 24 GB.
 *
 * Source: https://github.com/hanxiao/bert-as-service, README.md, "Benchmark".
 */
export const PUBLISHED = {
  hardware: 'one Tesla M40 24 GB',
  terms:
    'TensorFlow, BERT-base (Chinese, 12 × 768), float32, layer -2 (eleven blocks), mean pooling; `max_seq_len` 40 and ' +
    '`client_batch_size` 2,048 where they are not what varies; every text padded to `max_seq_len`',
  /** Number of clients → texts/s a client; in all it is so many times as much. */
  byClients: new Map([
    [1, 473],
    [2, 261],
    [4, 133],
    [8, 67],
    [16, 34],
    [32, 17],
  ]),
  /** max_seq_len → texts/s. */
  byLength: new Map([
    [20, 903],
    [40, 473],
    [80, 231],
    [160, 119],
    [320, 54],
  ]),
  /** client_batch_size → texts/s. */
  byBatch: new Map([
    [1, 75],
    [4, 206],
    [8, 274],
    [16, 332],
    [64, 365],
    [256, 382],
    [512, 432],
    [1024, 459],
    [2048, 473],
    [4096, 481],
  ]),
  /** 1 for pooling_layer -1 → texts/s. */
  byLayer: new Map([
    [1, 438],
    [2, 475],
    [3, 516],
    [4, 569],
    [5, 633],
    [6, 711],
    [7, 820],
    [8, 945],
    [9, 1128],
    [10, 1392],
    [11, 1523],
    [12, 1568],
  ]),
} as const;
