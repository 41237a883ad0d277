/** What BertClient 1.10.0 with pyzmq 27.3 sent, frame by frame, one character a byte. */
export const RECORDED_CLIENT = 'recorded';

/** SHOW_CONFIG, two texts, escapes, a pair, tokens, two that do not block, SHOW_STATUS. */
export const RECORDED_REQUESTS: readonly (readonly string[])[] = [
  ['recorded', 'SHOW_CONFIG', '1', '0'],
  ['recorded', '["First do it", "then do it right"]', '2', '2'],
  ['recorded', '["\\u4f60\\u597d\\u4e48\\uff1f \\"quoted\\" \\\\ na\\u00efve \\ud83d\\ude00"]', '3', '1'],
  ['recorded', '["what is it ||| a test"]', '4', '1'],
  ['recorded', '[["First", "do", "it"], ["a", "|||", "b"]]', '5', '2'],
  ['recorded', '["one"]', '6', '1'],
  ['recorded', '["two", "three"]', '7', '2'],
  ['recorded', 'SHOW_STATUS', '8', '0'],
];
