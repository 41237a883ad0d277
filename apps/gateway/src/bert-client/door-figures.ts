/** What the door has in hand now. */
export interface DoorFigures {
  readonly connections: number;
  readonly clients: number;
  /** Requests that wait or are under way, and calls of the farm that are. */
  readonly requests: number;
  readonly calls: number;
  readonly heldBytes: number;
}
