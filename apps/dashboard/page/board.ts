import type { BoardSession } from '../src/board-shape.ts';
import { fillStory, lengthsStory } from './batch-stories.ts';
import { BoardFeed } from './board-feed.ts';
import { BoardMemory, type BoardView } from './board-memory.ts';
import { BoardState } from './board-state.ts';
import { ClientsChart } from './clients-chart.ts';
import { CurveChoice } from './curve-choice.ts';
import { DepthChart } from './depth-chart.ts';
import { byId, find, write } from './elements.ts';
import { clientRows, failureRows, modelRows, requestRows } from './farm-rows.ts';
import { FarmTable } from './farm-table.ts';
import { FigureTiles } from './figure-tiles.ts';
import { HistogramChart } from './histogram-chart.ts';
import { LatencyChart } from './latency-chart.ts';
import { readSession, RequestActions } from './request-actions.ts';
import { SpeedUpChart } from './speed-up-chart.ts';
import { ThroughputChart } from './throughput-chart.ts';
import { TimeBars } from './time-bars.ts';
import type { Range } from './time-buckets.ts';
import { workerRows } from './worker-rows.ts';

const memory = new BoardMemory();
const state = new BoardState();
const tiles = new FigureTiles();
const depth = new DepthChart();
const throughput = new ThroughputChart();
const latency = new LatencyChart();
const clientsTotal = new ClientsChart('clients-total');
const clientsPerClient = new ClientsChart('clients-per-client');
const speedUp = new SpeedUpChart();
const time = new TimeBars();
const fill = new HistogramChart('fill', 'device');
const lengths = new HistogramChart('lengths', 'throughput');
const clientsCurve = new CurveChoice(find('#clients-curve'), 'by-clients', () => draw());
const workersCurve = new CurveChoice(find('#workers-curve'), 'by-workers', () => draw());
const tables = {
  workers: new FarmTable('workers', 24),
  requests: new FarmTable('requests', 25),
  clients: new FarmTable('clients', 8),
  failures: new FarmTable('failures', 12),
  models: new FarmTable('models', 20),
};
let session: BoardSession = { hasKey: false, canAct: false, queuesPath: '' };
let isDrawn = true;

new RequestActions(tables.requests.table);
new BoardFeed({
  take: (event) => {
    memory.take(event);
    isDrawn = false;
    drawWhenSeen();
  },
  lose: () => state.showLost(),
  newestSecond: () => memory.newestSecond,
});
document.addEventListener('visibilitychange', drawWhenSeen);
for (const input of document.querySelectorAll('input[name="range"]')) input.addEventListener('change', draw);
void readSession().then((answer) => {
  session = answer;
  showSession();
  draw();
});

/** A hidden page takes the numbers and draws nothing. */
function drawWhenSeen(): void {
  if (!document.hidden && !isDrawn) draw();
}

function draw(): void {
  const { view } = memory;
  if (!view) return;
  isDrawn = true;
  const range = find<HTMLInputElement>('input[name="range"]:checked').value as Range;
  state.show(view);
  tiles.show(view);
  depth.show(view, range);
  throughput.show(view, range);
  latency.show(view, range);
  time.show(view, range);
  fill.show(fillStory(view, range));
  lengths.show(lengthsStory(view, range));
  clientsCurve.show(view.curves);
  workersCurve.show(view.curves);
  clientsTotal.show(view, clientsCurve.chosen);
  clientsPerClient.show(view, clientsCurve.chosen);
  speedUp.show(workersCurve.chosen);
  drawTables(view);
}

function drawTables(view: BoardView): void {
  // Before the first answer of Redis an empty table would be a claim.
  if (!view.status) return;
  tables.workers.show(workerRows(view), view.status.allWorkers);
  tables.requests.show(requestRows(view, session.canAct), view.requests.length, view.status.openRequests);
  tables.clients.show(clientRows(view), view.status.clients);
  tables.failures.show(failureRows(view));
  tables.models.show(modelRows(view), view.status.allModels);
}

function showSession(): void {
  const link = byId('queues') as HTMLAnchorElement;
  link.hidden = session.queuesPath === '';
  link.href = session.queuesPath;
  const words = session.hasKey
    ? 'Read only: open this page with its key to cancel and retry.'
    : 'Read only: with EMBEDFARM_DASHBOARD_KEY set, who has the key may cancel and retry.';
  write(byId('may-act'), session.canAct ? '' : words);
}
