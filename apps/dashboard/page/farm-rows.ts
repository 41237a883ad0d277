import { farmNowMs, type BoardView } from './board-memory.ts';
import type { Cell, Row } from './keyed-rows.ts';
import { ago, cut, duration, NONE, percent, shortNumber } from './numerals.ts';

/** The server cuts texts short already; here is what a line holds. */
const MAX_SAMPLE_LENGTH = 160;

export function clientRows({ clients }: BoardView): readonly Row[] {
  return clients.map(({ clientId, name, host, pid, textsPerSecond, inFlightTexts, share, lastSeenMs }) => ({
    key: clientId,
    cells: [
      { text: name || clientId, small: host && `${host} · pid ${pid}`, title: clientId },
      count(textsPerSecond),
      count(inFlightTexts),
      { text: percent(share), number: true, progress: { share, label: 'Share of all texts' } },
      { text: ago(lastSeenMs), number: true, tone: 'quiet' },
    ],
  }));
}

/** With buttons only where this viewer may act and the request can be acted on. */
export function requestRows(view: BoardView, canAct: boolean): readonly Row[] {
  const { requests } = view;
  const nowMs = farmNowMs(view);
  return requests.map((request) => {
    const { requestId, label, model, lane, state, texts, textsDone, textsFailed, createdAtMs, endedAtMs } =
      request;
    const name = label || requestId;
    const share = texts > 0 ? (textsDone + textsFailed) / texts : 0;
    const buttons = [
      ...(request.canCancel ? [{ action: 'cancel', text: 'Cancel', label: `Cancel ${name}` }] : []),
      ...(request.canRetry
        ? [{ action: 'retry', text: 'Retry', label: `Retry what failed of ${name}` }]
        : []),
    ];
    const failed = textsFailed > 0 ? ` · ${shortNumber(textsFailed)} failed` : '';
    return {
      key: requestId,
      state,
      cells: [
        { text: name, small: label ? requestId : '', title: requestId },
        { text: state, ...(TONES[state] ? { tone: TONES[state] } : {}) },
        {
          text: percent(share),
          small: `${shortNumber(textsDone)} of ${shortNumber(texts)}${failed}`,
          progress: { share: Math.min(1, share), label: 'Texts done or failed' },
        },
        { text: endedAtMs ? NONE : duration(request.etaMs), number: true },
        {
          text: endedAtMs
            ? `ended ${ago(Math.max(0, nowMs - endedAtMs))}`
            : ago(Math.max(0, nowMs - createdAtMs)),
          number: true,
          tone: 'quiet',
        },
        { text: model, small: lane, title: model },
        {
          text: '',
          buttons: canAct ? buttons : [],
        },
      ] satisfies Cell[],
    };
  });
}

const TONES: Readonly<Partial<Record<BoardView['requests'][number]['state'], 'warn' | 'quiet'>>> = {
  failed: 'warn',
  incomplete: 'warn',
  cancelled: 'quiet',
  expired: 'quiet',
};

export function failureRows(view: BoardView): readonly Row[] {
  const { failures } = view;
  const nowMs = farmNowMs(view);
  return failures.map(({ code, model, texts, lastAtMs, sample }) => ({
    key: `${code} ${model}`,
    cells: [
      { text: code, small: model },
      count(texts),
      { text: ago(Math.max(0, nowMs - lastAtMs)), number: true, tone: 'quiet' },
      {
        text: cut(sample.message, MAX_SAMPLE_LENGTH),
        small: sample.text ? `“${cut(sample.text, MAX_SAMPLE_LENGTH)}”` : '',
        title: sample.requestId,
      },
    ],
  }));
}

export function modelRows({ status }: BoardView): readonly Row[] {
  return (status?.models ?? []).map((model) => ({
    key: model.model,
    cells: [
      {
        text: model.model,
        small: model.meaningful ? '' : 'random weights: its vectors carry no meaning',
        title: model.model,
      },
      {
        text: model.workers === 0 ? 'none' : String(model.workers),
        number: true,
        ...(model.workers === 0 ? { tone: 'warn' } : {}),
      },
      count(model.backlog.interactive),
      count(model.backlog.bulk),
      { text: String(model.dimensions), number: true },
      { text: String(model.maxSequenceLength), number: true },
      model.normalize ? `${model.pooling}, normalized` : model.pooling,
      model.dtype,
      { text: model.fingerprint.slice(0, 8), tone: 'quiet', title: model.fingerprint },
    ] satisfies (Cell | string)[],
  }));
}

function count(value: number): Cell {
  return { text: shortNumber(value), number: true };
}
