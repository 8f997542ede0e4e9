/**
 * Counts every <time data-countdown datetime data-server-now> down by the server's clock.
 *
 * data-at-zero="reload" reads the page again at zero (within two seconds at random with data-jitter); otherwise the
 * element dispatches "countdown:zero". It looks at the clock at once when it hears "countdown:look". Inside [data-timebar]
 * the bar follows and turns urgent in the last two minutes. A screen reader hears data-spoken at a
 * few marks only.
 */
import { clockWords, fill, spokenWords } from "./words.js";

const URGENT_SECONDS = 120;
const SPOKEN_SECONDS = [600, 300, 120, 60, 30, 10];

/** Return the whole seconds left, never below zero; offset is the server's clock minus ours, in milliseconds. */
export function secondsLeft(endsAt, offset, now) {
  return Math.max(0, Math.ceil((endsAt - (now + offset)) / 1000));
}

/** Return the mark that was passed between two readings, or undefined. */
export function markPassed(before, after) {
  return SPOKEN_SECONDS.find((mark) => before > mark && after <= mark);
}

class Countdown {
  constructor(element) {
    this.element = element;
    this.bar = element.closest("[data-timebar]");
    this.endsAt = Date.parse(element.dateTime);
    this.offset = Date.parse(element.dataset.serverNow) - (Date.now() - this.sinceArrival());
    this.left = Infinity;
    this.voice = document.createElement("span");
    this.voice.className = "unseen";
    this.voice.setAttribute("aria-live", "polite");
    element.after(this.voice);
  }

  /** How long ago the page's first byte came, so that a slow script does not make the clock late. */
  sinceArrival() {
    const now = performance.now();
    return Math.max(0, now - (performance.getEntriesByType("navigation")[0]?.responseStart ?? now));
  }

  tick() {
    const left = secondsLeft(this.endsAt, this.offset, Date.now());
    if (left === this.left) return;
    if (markPassed(this.left, left) && this.left !== Infinity) {
      this.voice.textContent = fill(this.element.dataset.spoken ?? "{time}", { time: spokenWords(left) });
    }
    this.left = left;
    this.element.textContent = clockWords(left);
    this.showUrgency(left);
    if (left === 0) this.finish();
  }

  showUrgency(left) {
    const urgent = left <= URGENT_SECONDS;
    this.element.classList.toggle("is-urgent", urgent);
    if (!this.bar) return;
    this.bar.classList.toggle("is-urgent", urgent);
    const progress = this.bar.querySelector("progress");
    if (progress) progress.value = left;
  }

  finish() {
    clearInterval(this.timer);
    const { atZero, jitter } = this.element.dataset;
    this.element.dispatchEvent(new CustomEvent("countdown:zero", { bubbles: true }));
    if (atZero === "reload") {
      // A moment more than zero, so that the server's clock has passed it too.
      setTimeout(() => location.reload(), 300 + (jitter === undefined ? 0 : Math.random() * 2000));
    }
  }

  start() {
    this.timer = setInterval(() => this.tick(), 250);
    // The page's own clock may have been held back or asleep.
    document.addEventListener("visibilitychange", () => this.tick());
    addEventListener("pageshow", () => this.tick());
    this.element.addEventListener("countdown:look", () => this.tick());
    this.tick();
  }
}

for (const element of document.querySelectorAll("time[data-countdown]")) new Countdown(element).start();
