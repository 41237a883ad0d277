import { linePlot, type Series } from '../plot/line-plot.ts';
import type { MeasuredCalls } from './measure-calls.ts';
import type { MeasuredLanes } from './measure-lanes.ts';
import type { QueueMeasurements } from './queue-report.ts';

/** A plot, as a file beside the report. */
export interface QueuePlot {
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

/** Of what was measured. */
export function queuePlots({ lanes, calls, ticks }: QueueMeasurements): QueuePlot[] {
  const throughput = [
    ...(calls ? rateSeries(calls, 'each a job', 'solid') : []),
    ...(ticks ? rateSeries(ticks, `${ticks.callsAtOnce} a job`, 'dashed') : []),
  ];
  return [
    ...(lanes ? [latencyPlot(lanes)] : []),
    ...(throughput.length > 0 ? [throughputPlot(throughput)] : []),
  ];
}

function latencyPlot({ loads }: MeasuredLanes): QueuePlot {
  const title = 'Interactive calls beside queued bulk chunks';
  const paused = loads.filter(({ maxPauseMs }) => maxPauseMs > 0);
  const series = (['p50', 'p99'] as const).map((name) => ({
    label: name,
    tone: 'own' as const,
    stroke: name === 'p50' ? ('solid' as const) : ('dashed' as const),
    points: paused.map(({ chunks, medians }) => [chunks, medians.latency[`${name}Ms`]] as const),
  }));
  const svg = linePlot({ title, xTitle: 'bulk chunks of 256 texts in the queue', yTitle: 'ms', series });
  return { file: 'queue-lanes.svg', title, svg };
}

function throughputPlot(series: readonly Series[]): QueuePlot {
  const title = 'One-text calls by number of clients';
  const svg = linePlot({ title, xTitle: 'clients', yTitle: 'texts per second', series });
  return { file: 'queue-calls.svg', title, svg };
}

function rateSeries(
  { clients, curve, farm, bare }: MeasuredCalls,
  label: string,
  stroke: Series['stroke'],
): Series[] {
  const points = [...curve, { clients, perSecond: farm.perSecond }].map(
    ({ clients: some, perSecond }) => [some, perSecond] as const,
  );
  const [first = clients] = points.map(([some]) => some);
  return [
    { label, tone: 'own', stroke, points },
    {
      label: `BullMQ alone, ${label}`,
      tone: 'other',
      stroke,
      points: [
        [first, bare.perSecond],
        [clients, bare.perSecond],
      ],
    },
  ];
}
