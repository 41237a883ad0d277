/** What the door has done since it opened. */
export interface DoorCounters {
  /** Encode requests that were read, whatever came of them. */
  requests: number;
  /** SHOW_CONFIG and SHOW_STATUS. */
  questions: number;
  /** Texts that were encoded. */
  texts: number;
  /** Of messages that were read, and of results that were handed to ZeroMQ. */
  receivedBytes: number;
  sentBytes: number;
  /** Results of any kind that were handed to ZeroMQ. */
  results: number;
  /** Encode requests that were answered with an error. */
  failed: number;
  /** Messages that are none of the protocol, and were not answered. */
  malformed: number;
  /** Encode requests beyond what a client may have here. */
  refused: number;
  /** Results that nobody claimed in time, or that were in the way. */
  dropped: number;
  /** Connections that were cut for what came over them. */
  cut: number;
  /** TERMINATION messages that were not obeyed. */
  terminationsRefused: number;
}

/** @returns counters at zero. */
export function newDoorCounters(): DoorCounters {
  return {
    requests: 0,
    questions: 0,
    texts: 0,
    receivedBytes: 0,
    sentBytes: 0,
    results: 0,
    failed: 0,
    malformed: 0,
    refused: 0,
    dropped: 0,
    cut: 0,
    terminationsRefused: 0,
  };
}
