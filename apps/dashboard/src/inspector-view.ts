import { FarmError } from '@embedfarm/contract';
import type { Inspector } from '@embedfarm/farm/inspect';
import type { FarmView } from './farm-view.ts';

/**
 * A bridge until an Inspector has all that a FarmView has: what it cannot be asked yet fails, and the board leaves
 * that part out. `openView` takes the Inspector itself then, and this file goes.
 */
export function inspectorView(inspector: Inspector): FarmView {
  const known: Partial<FarmView> = inspector;
  const absent = (what: string) => async (): Promise<never> => {
    throw new FarmError('internal', `an inspector has no ${what} yet`);
  };
  return {
    status: () => inspector.status(),
    series: (seconds) => inspector.series(seconds),
    sample: () => inspector.sample(),
    waiting: known.waiting?.bind(inspector) ?? absent('waiting'),
    minutes: known.minutes?.bind(inspector) ?? absent('minutes'),
    clients: known.clients?.bind(inspector) ?? absent('clients'),
    requests: (limit) => inspector.requests(limit),
    failures: known.failures?.bind(inspector) ?? absent('failures'),
    curves: known.curves?.bind(inspector) ?? absent('curves'),
    queueMetrics: (models) => inspector.queueMetrics(models),
    close: () => inspector.close(),
  };
}
