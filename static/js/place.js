/** What a place means on a board: pure, no page and no clock. */

/**
 * Return how many people stand before a place. Exact near the door, between two marks by straight line. Whoever is behind
 * the last mark has joined since the board was made: before them stand all whom it knows, and at most those whose places
 * were given since. The next board can only better that.
 */
export function peopleAhead(board, place) {
  const marks = board.marks;
  if (place <= board.admitted_through) return 0;
  const after = marks.findIndex(([markPlace]) => markPlace >= place);
  if (after === -1) return board.waiting + Math.max(0, place - board.places_given - 1);
  if (place < marks[0][0]) return 0;
  const [nextPlace, nextAhead] = marks[after];
  if (nextPlace === place) return nextAhead;
  const [markPlace, markAhead] = marks[after - 1];
  const share = (place - markPlace) / (nextPlace - markPlace);
  return Math.round(markAhead + share * (nextAhead - markAhead));
}

/** Return {low, high} in seconds, or null while nobody is let in and a wait cannot be known. */
export function waitRange(board, ahead) {
  const { low, high } = board.rate;
  if (!(low > 0) || !(high > 0)) return null;
  return { low: Math.round((ahead / high) * 60), high: Math.round((ahead / low) * 60) };
}

/**
 * Return whether a wait has become longer than was promised: `promised` and `range` are {low, high} in seconds, or null where
 * none can be known, and `passed` are the seconds since the promise. A little more is no news.
 */
export function hasGrown(promised, range, passed) {
  if (!promised || !range) return false;
  return range.high > promised.high - passed + Math.max(60, promised.high / 4);
}

/** Return the seconds until the board is asked again: near the door often, far back rarely; random is 0 to 1. */
export function nextPoll(board, ahead, random) {
  const share = board.waiting > 0 ? Math.min(1, ahead / board.waiting) : 0;
  const advised = board.near_seconds + share * (board.far_seconds - board.near_seconds);
  return advised * (0.9 + 0.2 * random);
}

/** Return whether the page must ask its private journey: the turn has come, or the queue is in another phase. */
export function hasNews(board, place, phase) {
  return board.admitted_through >= place || board.phase !== phase;
}

/** Return how many people one drawn figure stands for, in round numbers, so that at most `room` are drawn. */
export function figureSize(ahead, room) {
  const least = Math.max(1, ahead / room);
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((step) => step * power).find((size) => size >= least);
}
