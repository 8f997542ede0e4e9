/**
 * The countdown page: looks at the public board now and then, since staff may open earlier, or move the opening.
 *
 * The root is time[data-countdown][data-board-url][data-phase]. Opened early, a ready fan's page joins as at zero
 * ("countdown:zero"); every other change of phase or time loads the page anew.
 */
const JOINABLE = ["open", "paused"];
// Rare, since nobody knows how many such pages there are; the countdown itself needs no asking.
const LEAST_SECONDS = 45;
const SPREAD_SECONDS = 30;
const RELOAD_WITHIN_MS = 2000;

/** Return what the board makes of a page that was made for `phase` and `opensAt`: "open", "changed" or "same". */
export function newsOf(board, phase, opensAt) {
  if (JOINABLE.includes(board.phase)) return "open";
  return board.phase !== phase || Date.parse(board.opens_at) !== Date.parse(opensAt) ? "changed" : "same";
}

class Opening {
  constructor(clock) {
    this.clock = clock;
    this.isOver = false;
    document.addEventListener("countdown:zero", () => { this.isOver = true; }, { once: true });
    this.wait();
  }

  wait() {
    setTimeout(() => this.look(), (LEAST_SECONDS + Math.random() * SPREAD_SECONDS) * 1000);
  }

  async look() {
    if (this.isOver) return;
    try {
      const answer = await fetch(this.clock.dataset.boardUrl, { signal: AbortSignal.timeout(10000), credentials: "omit" });
      if (answer.ok) this.hear(await answer.json());
    } catch {
      // Away for now: the countdown goes on, and the next look comes.
    }
    if (!this.isOver) this.wait();
  }

  hear(board) {
    const news = newsOf(board, this.clock.dataset.phase, this.clock.dateTime);
    // At zero the countdown's own way is taken.
    if (this.isOver || news === "same") return;
    this.isOver = true;
    if (news === "open" && document.querySelector("form[data-joining]")) {
      this.clock.dispatchEvent(new CustomEvent("countdown:zero", { bubbles: true }));
    } else {
      setTimeout(() => location.reload(), Math.random() * RELOAD_WITHIN_MS);
    }
  }
}

const clock = document.querySelector("time[data-countdown][data-board-url]");
if (clock) new Opening(clock);
