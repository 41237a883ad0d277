// The page over a farm that is not there, to look at it: node apps/dashboard/show-page.mjs [port]
// http://127.0.0.1:3999/busy/ and so on, one path for each scene; ?can-act is by the path /busy/act/.
import { fileURLToPath } from 'node:url';
import express from 'express';
import { runnerImport } from 'vite';
import './build-page.mjs';

const DIR = fileURLToPath(new URL('.', import.meta.url));
const { SCENES, SyntheticBoard } = (await runnerImport(`${DIR}src/testing/synthetic-board.ts`)).module;
const { security } = (await runnerImport(`${DIR}src/security.ts`)).module;

const app = express();
app.use(security());
for (const scene of SCENES) {
  for (const canAct of [false, true]) {
    const path = canAct ? `/${scene}/act` : `/${scene}`;
    app.get(`${path}/api/session`, (_request, response) => {
      response.json({ hasKey: true, canAct, queuesPath: 'queues/' });
    });
    app.get(`${path}/api/board`, (_request, response) => {
      response.json(new SyntheticBoard(scene, Date.now()).snapshot(Date.now()));
    });
    app.get(`${path}/api/events`, (_request, response) => {
      const board = new SyntheticBoard(scene, Date.now());
      const send = (event) => response.write(`event: board\ndata: ${JSON.stringify(event)}\n\n`);
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      send(board.snapshot(Date.now()));
      const timer = setInterval(() => send(board.update(Date.now())), 1_000);
      response.once('close', () => clearInterval(timer));
    });
    app.post(`${path}/api/requests/:id/:action`, (request, response) => {
      response.status(409).json({
        error: {
          code: 'invalid_argument',
          message: `${request.params.id} is not there: this farm is painted`,
        },
      });
    });
    app.use(path, express.static(`${DIR}public`));
  }
}
const server = app.listen(Number(process.argv[2] ?? 3_999), '127.0.0.1', () => {
  for (const scene of SCENES) console.log(`http://127.0.0.1:${server.address().port}/${scene}/`);
});
