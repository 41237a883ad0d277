/** Calls `tell` at most ten times, with the tenth that was reached last, in percent. */
export function onceATenth(tell: (percent: number) => void): (done: number, total: number) => void {
  let told = 0;
  return (done, total) => {
    const tenth = total === 0 ? 10 : Math.floor((done * 10) / total);
    if (tenth <= told) return;
    told = tenth;
    tell(tenth * 10);
  };
}
