/**
 * Joins the line by itself when the countdown is at zero: one small request, within two seconds at random.
 *
 * form[data-joining] goes to the line; its words are data-sending, data-joined, data-busy and data-lost, and
 * data-journey-url is the page that shows the place. data-pulse is the worker that wakes the countdown while the page is
 * hidden; a page that was asleep joins when it wakes.
 */
const SPREAD_MS = 1700;
// A moment more than zero, so that the server's clock has passed it too.
const AFTER_ZERO_MS = 300;
const TOO_EARLY = 423;
const MOST_TOO_EARLY = 5;
const RETRY_SECONDS = 2;
const MOST_RETRY_SECONDS = 30;
const PULSE_MS = 1000;

/** Return the milliseconds from zero until the page joins; random is 0 to 1. */
export function joinAfter(random) {
  return AFTER_ZERO_MS + random * SPREAD_MS;
}

/** Return the milliseconds until the next try: what the server asks for, longer each time, and never all at once. */
export function nextTry(attempt, retryAfter, random) {
  const asked = Number(retryAfter) > 0 ? Number(retryAfter) : RETRY_SECONDS;
  const least = Math.min(MOST_RETRY_SECONDS, asked * 1.5 ** (attempt - 1));
  return 1000 * Math.max(asked, least) * (1 + random);
}

class Joining {
  constructor(form) {
    this.form = form;
    this.attempts = 0;
    this.early = 0;
    form.querySelector("[data-by-hand]").hidden = true;
    form.querySelector("[data-by-itself]").hidden = false;
    document.addEventListener("countdown:zero", () => this.begin(), { once: true });
    addEventListener("online", () => this.attempts > 0 && this.after(joinAfter(Math.random())));
    this.keepAwake();
  }

  keepAwake() {
    const pulse = new Worker(this.form.dataset.pulse);
    const clock = document.querySelector("time[data-countdown]");
    pulse.addEventListener("message", () => clock.dispatchEvent(new Event("countdown:look")));
    const follow = () => pulse.postMessage(document.hidden ? PULSE_MS : 0);
    document.addEventListener("visibilitychange", follow);
    follow();
  }

  say(text) {
    const voice = this.form.querySelector("[data-voice]");
    if (voice.textContent !== text) voice.textContent = text;
  }

  begin() {
    this.form.querySelector("[data-by-itself]").hidden = true;
    this.say(this.form.dataset.sending);
    this.after(joinAfter(Math.random()));
  }

  after(milliseconds) {
    clearTimeout(this.timer);
    if (!this.isDone) this.timer = setTimeout(() => this.join(), milliseconds);
  }

  async join() {
    if (this.isAsking) return;
    this.isAsking = true;
    this.attempts += 1;
    try {
      this.hear(await fetch(this.form.action, {
        method: "POST", body: new FormData(this.form), redirect: "manual", signal: AbortSignal.timeout(20000),
      }));
    } catch {
      // Joining twice is joining once: whether the server has heard us does not matter.
      this.say(this.form.dataset.lost);
      this.after(nextTry(this.attempts, null, Math.random()));
    } finally {
      this.isAsking = false;
    }
  }

  hear(answer) {
    // A redirect (opaque) is the answer to a form that was taken.
    if (answer.type === "opaqueredirect" || answer.ok) return this.goOn(this.form.dataset.joined, 1000 + Math.random() * 2000);
    if (answer.status === TOO_EARLY && (this.early += 1) <= MOST_TOO_EARLY) return this.after(500 + Math.random() * 1000);
    if (answer.status >= 500) {
      this.say(this.form.dataset.busy);
      return this.after(nextTry(this.attempts, answer.headers.get("Retry-After"), Math.random()));
    }
    this.isDone = true;
    // Sent once more as the browser does it, the form leads to the page that says why not.
    if (answer.headers.has("X-Refusal") && answer.status !== TOO_EARLY) this.form.submit();
    else this.goOn("", 0);
  }

  goOn(text, milliseconds) {
    this.isDone = true;
    if (text) this.say(text);
    setTimeout(() => location.assign(this.form.dataset.journeyUrl), milliseconds);
  }
}

const form = document.querySelector("form[data-joining]");
if (form) new Joining(form);
