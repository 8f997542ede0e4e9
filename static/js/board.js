/**
 * The line page: reads the public board, works out the fan's own position from their place, and shows it.
 *
 * The root is [data-board-url][data-journey-url][data-place][data-phase]
 * [data-event][data-server-now]; the words stand in [data-texts].
 * The private journey is asked only when the turn has come or the phase is another than the page was made with.
 */
import { Drawing } from "./drawing.js";
import { hasGrown, hasNews, nextPoll, peopleAhead, waitRange } from "./place.js";
import { clock, fill, number, waitWords } from "./words.js";

export { peopleAhead, waitRange, nextPoll } from "./place.js";

const SPEAK_SECONDS = 30;
const RETRY_SECONDS = 5;
const HIDDEN_FACTOR = 3;
const LONGER_SHOWN_SECONDS = 60;

class LinePage {
  constructor(root) {
    this.root = root;
    this.place = Number(root.dataset.place);
    this.texts = root.querySelector("[data-texts]").dataset;
    const drawing = root.querySelector("[data-drawing]");
    this.drawing = drawing && new Drawing(drawing);
    this.spokenAt = Date.now();
    this.lastNews = new Date();
    document.addEventListener("visibilitychange", () => document.hidden || this.read());
    addEventListener("online", () => this.read());
  }

  write(name, text) {
    const element = this.root.querySelector(`[data-${name}]`);
    if (element && element.textContent !== text) element.textContent = text;
    return element;
  }

  async read() {
    clearTimeout(this.timer);
    const reading = (this.reading = (this.reading ?? 0) + 1);
    try {
      const answer = await fetch(this.root.dataset.boardUrl, { signal: AbortSignal.timeout(10000), credentials: "omit" });
      if (!answer.ok) throw new Error(String(answer.status));
      const board = await answer.json();
      // An older answer that comes late is not news.
      if (reading === this.reading) this.receive(board);
    } catch {
      if (reading === this.reading) this.lose();
    }
  }

  receive(board) {
    this.lastNews = new Date();
    this.root.querySelector("[data-connection]").hidden = true;
    const ahead = peopleAhead(board, this.place);
    this.show(board, ahead);
    // A board from before the page was made knows less than the page does.
    const isNewer = Date.parse(board.as_of) > Date.parse(this.root.dataset.serverNow);
    if (isNewer && hasNews(board, this.place, this.root.dataset.phase)) return this.goOn(board);
    this.wait(nextPoll(board, ahead, Math.random()));
  }

  show(board, ahead) {
    const range = waitRange(board, ahead);
    const wait = range ? (waitWords(range.low, range.high) ?? this.texts.soon) : this.texts.unknown;
    const position = number(ahead + 1);
    this.write("position", position).dataset.chars = position.length;
    this.write("ahead", number(ahead));
    this.write("wait", wait);
    this.write("waiting", number(Math.max(board.waiting, ahead + 1)));
    this.showStock(board.tiers);
    this.explain(board, range);
    const message = this.write("operator-message", board.message);
    if (message) message.hidden = !board.message;
    this.drawing?.show(ahead, Math.max(0, board.waiting - ahead - 1));
    document.title = `${fill(this.texts.title, { position })} - ${this.root.dataset.event}`;
    this.speak(fill(this.texts.spoken, { position, ahead: number(ahead), wait }));
  }

  /** Say why nobody is let in just now, and why the wait is longer than the one that was last told, if it is. */
  explain(board, range) {
    const reason = { stock: this.texts.heldStock, room: this.texts.heldRoom }[board.held_up_by];
    // A full room is how a sale goes; it is worth a word only where it makes somebody wait longer.
    const alone = board.held_up_by === "stock" ? reason : "";
    const passed = (Date.now() - this.promisedAt) / 1000;
    const wasLonger = this.isLonger();
    const hasJustGrown = hasGrown(this.promised, range, passed);
    if (hasJustGrown) this.grownAt = Date.now();
    const isLonger = this.isLonger();
    const text = isLonger ? fill(this.texts.longer, { reason: reason ?? this.texts.heldPace }) : alone;
    this.write("held-up", text).hidden = !text;
    if (isLonger && !wasLonger) this.write("voice", text);
    // The best that was said is the promise, so that a wait cannot grow by many steps too small to mention.
    const isBetter = range && !(this.promised && range.high > this.promised.high - passed);
    if (isBetter || hasJustGrown) [this.promised, this.promisedAt] = [range, Date.now()];
  }

  isLonger() {
    return Date.now() - this.grownAt < LONGER_SHOWN_SECONDS * 1000;
  }

  showStock(tiers) {
    for (const { tier, level } of tiers) {
      const element = this.root.querySelector(`[data-stock="${CSS.escape(tier)}"]`);
      if (!element) continue;
      element.dataset.level = level;
      element.textContent = this.texts[level];
    }
    const levels = tiers.map(({ level }) => level);
    const chance = levels.every((level) => level === "gone") ? "chanceGone"
      : levels.some((level) => level === "few" || level === "gone") ? "chanceFew" : "chanceGood";
    if (levels.length > 0) this.write("chance", this.texts[chance]);
  }

  speak(sentence) {
    if (Date.now() - this.spokenAt < SPEAK_SECONDS * 1000 || sentence === this.spoken) return;
    this.spokenAt = Date.now();
    this.spoken = sentence;
    this.write("voice", sentence);
  }

  lose() {
    this.write("connection", fill(this.texts.lost, { time: clock(this.lastNews) })).hidden = false;
    this.wait(RETRY_SECONDS * (1 + Math.random()));
  }

  wait(seconds) {
    this.timer = setTimeout(() => this.read(), seconds * (document.hidden ? HIDDEN_FACTOR : 1) * 1000);
  }

  /** The turn has come, or the queue changed: tell the fan, and let the server show the page of their stage. */
  goOn(board) {
    if (board.admitted_through >= this.place) this.callFan();
    // Should the server not see it yet, ask again without hurry.
    const again = Date.now() - Number(sessionStorage.getItem("gone-on")) < 2 * RETRY_SECONDS * 1000;
    sessionStorage.setItem("gone-on", Date.now());
    setTimeout(() => location.assign(this.root.dataset.journeyUrl), Math.random() * 1000 + (again ? RETRY_SECONDS * 1000 : 0));
  }

  callFan() {
    document.title = `${this.texts.turn} - ${this.root.dataset.event}`;
    this.write("turn-voice", this.texts.spokenTurn);
    navigator.vibrate?.([200, 100, 200]);
    chime();
  }
}

/** Two soft tones, where the browser lets a page speak. */
function chime() {
  if (typeof AudioContext === "undefined" || !navigator.userActivation?.hasBeenActive) return;
  const audio = new AudioContext();
  [660, 880].forEach((pitch, index) => {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    const from = audio.currentTime + index * 0.25;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.2, from);
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.5);
    tone.connect(volume).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.5);
  });
}

const root = document.querySelector("[data-board-url]");
if (root) new LinePage(root).read();
