import { ClientsChart } from './clients-chart.js';
import { clientsRows, modelRows, workerRows } from './farm-rows.js';
import { KeyedRows } from './keyed-rows.js';
import { followBoard } from './live-board.js';
import { shortNumber } from './numerals.js';
import { SECONDS, TimeChart } from './time-chart.js';

/** Chunks end in lumps; over so many seconds the figure is calm and still of now. */
const FIGURE_SECONDS = 5;

const find = (id) => document.getElementById(id);
const lanes = ['interactive', 'bulk'];
const depth = new TimeChart(
  find('depth'),
  'Queue depth',
  lanes.map((lane) => ({ name: lane, label: lane, value: ({ backlog }) => backlog[lane] })),
  'No job waited in the last 5 minutes.',
);
const throughput = new TimeChart(
  find('throughput'),
  'Throughput',
  [{ name: 'throughput', label: 'texts/s', value: ({ texts }) => texts }],
  'No text was encoded in the last 5 minutes.',
);
const total = new ClientsChart(find('total'), 'Total texts/s', (point) => point.textsPerSecond);
const perClient = new ClientsChart(
  find('per-client'),
  'Texts/s per client',
  (point) => point.textsPerSecondPerClient,
);
const byClientsTable = new KeyedRows(find('by-clients'));
const modelsTable = new KeyedRows(find('models'));
const workersTable = new KeyedRows(find('worker-rows'));

let points = [];
let board;
let isDrawn = true;

followBoard(
  (received) => {
    board = received;
    points = mergePoints(points, received.points);
    isDrawn = false;
    drawWhenSeen();
  },
  () => showState('lost', 'No connection to the dashboard. Trying again…'),
);
document.addEventListener('visibilitychange', drawWhenSeen);

/** A hidden page takes the numbers and draws nothing. */
function drawWhenSeen() {
  if (document.hidden || isDrawn) return;
  isDrawn = true;
  draw(board);
}

/** The newest five minutes; a second that comes again replaces what was known of it. */
function mergePoints(known, fresh) {
  if (fresh.length === 0) return known;
  const newest = fresh.at(-1).second;
  const kept = known.filter(({ second }) => second < fresh[0].second && second > newest - SECONDS);
  return [...kept, ...fresh];
}

function draw({ redis, redisSinceMs, status, byClients }) {
  if (redis === 'up') showState('live', 'Live');
  else {
    const since = new Date(redisSinceMs).toLocaleTimeString();
    const rest = status ? 'The last known state is shown; this' : 'This';
    showState('redis-down', `Redis does not answer since ${since}. ${rest} page goes on by itself.`);
  }
  const recent = points.slice(-FIGURE_SECONDS);
  const textsPerSecond = mean(recent.map(({ texts }) => texts));
  write('texts', shortNumber(textsPerSecond));
  write('tokens', shortNumber(mean(recent.map(({ tokens }) => tokens))));
  document.title = `${shortNumber(textsPerSecond)} texts/s · Embedfarm`;
  depth.show(points);
  throughput.show(points);
  if (!status) return;
  drawStatus(status);
  total.show(byClients);
  perClient.show(byClients);
  byClientsTable.show(clientsRows(byClients));
}

function drawStatus({ models, workers, backlog, clients }) {
  write('clients', shortNumber(clients));
  write('workers', shortNumber(workers.length));
  for (const lane of lanes) write(lane, shortNumber(backlog[lane]));
  modelsTable.show(modelRows(models));
  workersTable.show(workerRows(workers));
  showEither('models', 'no-models', models.length > 0);
  showEither('worker-rows', 'no-workers', workers.length > 0);
}

/** The table, or the words that stand for an empty one. */
function showEither(table, note, hasRows) {
  find(table).parentElement.hidden = !hasRows;
  find(note).hidden = hasRows;
}

function showState(state, text) {
  const element = find('state');
  element.dataset.state = state;
  if (element.textContent !== text) element.textContent = text;
  find('board').classList.toggle('stale', state !== 'live');
}

function write(id, text) {
  const element = find(id);
  if (element.textContent !== text) element.textContent = text;
}

function mean(numbers) {
  return numbers.length === 0
    ? Number.NaN
    : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
