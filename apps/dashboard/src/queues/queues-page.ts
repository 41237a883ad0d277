import { createBullBoard } from '@bull-board/api';
import { FarmError } from '@embedfarm/contract';
import type { FarmQueues } from '@embedfarm/farm/queues';
import { Router } from 'express';
import { refusal, send } from '../answers.ts';
import { faultAnswer } from '../api.ts';
import type { BoardState } from '../board-state.ts';
import { queuesSecurity } from '../security.ts';
import { ReadOnlyAdapter } from './read-only-adapter.ts';
import { ShownQueue } from './shown-queue.ts';

/** Where bull-board is; its page wants to know from the root of the host. */
export const QUEUES_PATH = '/queues';

/** BullMQ's queues job by job, to look at: what is done to a job behind the farm's back would spoil its counts. */
export function queuesPage(state: () => BoardState, queues: Pick<FarmQueues, 'of'>): Router {
  const adapter = new ReadOnlyAdapter(`${QUEUES_PATH}/`);
  const board = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'Embedfarm queues',
        miscLinks: [{ text: 'Dashboard', url: '/' }],
        hideDocsLink: true,
        hideRedisDetails: true,
        // Asks Redis for all its connections, each time.
        showWorkers: false,
      },
    },
  });
  let shown = '';
  const router = Router();
  router.use(queuesSecurity(), (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') return next();
    response.set('Allow', 'GET, HEAD');
    return send(response, refusal(405, 'invalid_argument', 'the queues are here to be looked at'));
  });
  router.use('/api', (_request, response, next) => {
    const { redis, status } = state();
    if (redis === 'down') {
      return send(response, faultAnswer(new FarmError('redis_unavailable', 'Redis does not answer')));
    }
    const models = status?.models.map(({ model }) => model) ?? [];
    const names = JSON.stringify(models);
    // Models come and go.
    if (names !== shown) board.replaceQueues(queues.of(models).map((queue) => new ShownQueue(queue)));
    shown = names;
    return next();
  });
  router.use(adapter.router);
  return router;
}
