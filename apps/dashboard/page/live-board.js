/** The server speaks once a second; so much silence means that nobody is there, or that this machine slept. */
const SILENCE_MS = 10_000;
const RETRY_MS = 3_000;

/**
 * The event stream, for as long as the page is open: it is opened again after an error, an
 * HTTP refusal (where the browser would give up) and silence.
 */
export function followBoard(onBoard, onLost) {
  const source = new EventSource('api/events');
  let patience;
  const again = (delayMs) => {
    clearTimeout(patience);
    source.close();
    onLost();
    setTimeout(() => followBoard(onBoard, onLost), delayMs);
  };
  const expectMore = () => {
    clearTimeout(patience);
    patience = setTimeout(() => again(0), SILENCE_MS);
  };
  source.addEventListener('board', (event) => {
    expectMore();
    onBoard(JSON.parse(event.data));
  });
  source.addEventListener('error', () => again(RETRY_MS));
  expectMore();
}
