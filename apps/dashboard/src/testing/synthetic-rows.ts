import type { BenchCurve } from '@embedfarm/contract';
import type { ClientRow, FailureGroup, RequestRow } from '@embedfarm/farm/figures';
import type { Backlog, FarmStatus } from '@embedfarm/farm/inspect';
import { noise, type SceneSizes } from './scene-sizes.ts';

const EVIL = '<img src=x onerror="document.title=\'owned\'"><b>bold</b>';
const MODEL = 'sentence-transformers/all-MiniLM-L6-v2';

export function syntheticWorkers(
  { workers, textsPerSecond, isHostile }: SceneSizes,
  nowMs: number,
  ageMs: number,
): FarmStatus['workers'] {
  // The last of several goes away after half a minute, without a word.
  const alive = workers > 1 && ageMs > 30_000 ? workers - 1 : workers;
  return Array.from({ length: alive }, (_, index) => {
    const host = isHostile && index === 0 ? EVIL : `farm-${1 + (index >> 1)}`;
    const isGpu = index % 4 === 3;
    const isGoing = workers > 1 && index === workers - 1;
    const busyShare = textsPerSecond > 1 ? 0.82 + 0.15 * noise(index) : 0;
    return {
      workerId: `${host.slice(0, 40)}-${4_711 + index}-${(0xa1b2c3d4 + index).toString(16)}`,
      host,
      pid: 4_711 + index,
      model: MODEL,
      fingerprint: '9f31c2d47be0aa52',
      state: index === 1 && workers > 3 ? 'draining' : 'running',
      devices: isGpu
        ? [
            {
              name: 'cuda:0',
              slots: 2,
              tokenBudget: 16_384,
              busyShare,
              provider: 'cuda',
              calibratedTokensPerSecond: 412_000,
            },
          ]
        : [0, 1].map((core) => ({
            name: `cpu/${core}`,
            slots: 2,
            tokenBudget: 256,
            busyShare,
            provider: 'cpu',
            calibratedTokensPerSecond: 11_800,
          })),
      textsPerSecond: textsPerSecond / workers,
      tokensPerSecond: (textsPerSecond * 38) / workers,
      waitingTexts: Math.round(textsPerSecond / workers),
      residentBytes: 412_000_000 + 9_000_000 * index,
      startedAtMs: nowMs - 7_200_000,
      lastSeenMs: isGoing ? Math.min(14_900, ageMs) : (nowMs + index * 911) % 5_000,
    };
  });
}

export function syntheticModels({ workers, isHostile }: SceneSizes, backlog: Backlog): FarmStatus['models'] {
  const model = {
    model: MODEL,
    fingerprint: '9f31c2d47be0aa52',
    dimensions: 384,
    maxSequenceLength: 256,
    pooling: 'mean',
    normalize: true,
    dtype: 'float32' as const,
    meaningful: true,
    workers,
    backlog,
  };
  return isHostile
    ? [model, { ...model, model: EVIL, meaningful: false, workers: 0, maxSequenceLength: 64 }]
    : [model];
}

/** The busiest 200. */
export function syntheticClients({ clients, textsPerSecond, isHostile }: SceneSizes): ClientRow[] {
  return Array.from({ length: Math.min(200, clients) }, (_, index) => {
    const share = 1 / 2 ** (index + 1);
    return {
      clientId: `c${(index * 7_919 + 1_009).toString(36)}-${index}`,
      name: isHostile ? EVIL : (['search-api', 'nightly-reindex', ''][index % 3] ?? ''),
      host: `web-${1 + (index % 9)}`,
      pid: 900 + index,
      textsPerSecond: textsPerSecond * share,
      share,
      inFlightTexts: Math.round(textsPerSecond * share * 3),
      lastSeenMs: (index * 700) % 5_000,
    };
  });
}

export function syntheticRequests({ requests, isHostile, workers }: SceneSizes, nowMs: number): RequestRow[] {
  const states =
    workers === 0
      ? (['queued'] as const)
      : (['running', 'running', 'queued', 'filling', 'completed', 'failed', 'cancelled'] as const);
  return Array.from({ length: requests }, (_, index) => {
    const state = requests === 1 ? 'completed' : (states[index % states.length] ?? 'running');
    const isOpen = state === 'running' || state === 'queued' || state === 'filling';
    const texts = requests === 1 ? 1 : index === 0 ? 1_000_000 : 2_000 * (index + 1);
    const share = isOpen ? (state === 'running' ? 0.42 + 0.1 * index : 0) : 1;
    const failed = state === 'failed' ? texts : index === 1 ? 3 : 0;
    return {
      requestId: `0-9c${index}d2e-${(index * 48_271).toString(36)}`,
      label: isHostile ? EVIL : index % 2 === 0 ? `reindex products ${index}` : undefined,
      model: MODEL,
      lane: requests === 1 ? 'interactive' : 'bulk',
      clientId: 'c7x-1',
      state,
      texts,
      textsDone: Math.max(0, Math.floor(texts * Math.min(1, share)) - failed),
      textsFailed: failed,
      createdAtMs: nowMs - 60_000 * (index + 1),
      endedAtMs: isOpen ? undefined : nowMs - 20_000 * (index + 1),
      etaMs: state === 'running' ? 480_000 / (index + 1) : undefined,
      canCancel: isOpen,
      canRetry: state === 'failed' || failed > 0,
    };
  });
}

export function syntheticFailures({ isHostile }: SceneSizes, nowMs: number): FailureGroup[] {
  return [
    {
      code: 'sequence_too_long',
      model: MODEL,
      texts: 41,
      lastAtMs: nowMs - 12_000,
      sample: {
        message: 'text 17 has 812 tokens, limit is 256',
        text: isHostile
          ? `${EVIL} ${'x'.repeat(400)}`
          : 'The quick brown fox jumps over the lazy dog, and then it goes on for a wh…',
        requestId: '0-9c1d2e-1',
      },
    },
    {
      code: 'device_lost',
      model: MODEL,
      texts: 3,
      lastAtMs: nowMs - 1_900_000,
      sample: {
        message: isHostile ? EVIL : 'the device died three times under this text alone',
        text: 'مرحبا بالعالم',
        requestId: '0-9c1d2e-2',
      },
    },
  ];
}

export function syntheticCurves({ textsPerSecond }: SceneSizes): BenchCurve[] {
  const curve = (
    kind: 'by-clients' | 'by-workers',
    shape: string,
    rates: readonly number[],
    day: string,
  ): BenchCurve => ({
    curve: kind,
    shape,
    workload: 'uniform-40',
    workers: 2,
    devices: '2 × cpu',
    machine: 'AMD EPYC 7B13, 2 cores, 24 GiB',
    commit: '23d5cf2a',
    measuredAt: `${day}T08:00:00.000Z`,
    points: rates.map((rate, index) => ({ x: 2 ** index, textsPerSecond: rate, tokensPerSecond: rate * 40 })),
  });
  const rates = [0.62, 0.8, 0.91, 0.97, 1, 0.99].map((share) => share * Math.max(100, textsPerSecond) * 1.05);
  return [
    curve('by-clients', 'minilm', rates, '2026-11-20'),
    curve(
      'by-clients',
      'base',
      rates.map((rate) => rate / 6),
      '2026-11-18',
    ),
    curve('by-workers', 'minilm', [310, 602, 1_150, 2_020], '2026-11-20'),
  ];
}
