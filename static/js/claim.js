/** Sends each form[data-claim] once, by itself: the fan's browser is here. The button stays for browsers without scripts. */

const TRIES = 3;
const RELOAD_PAGE = 205;

async function send(form) {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, redirect: "manual",
      });
      // The turn is over, and the page now says so.
      if (answer.status === RELOAD_PAGE) window.location.reload();
      // A redirect (opaque) is the answer to a form that was taken, too.
      if (answer.ok || answer.type === "opaqueredirect") return true;
      // Refused: the button comes back, and its answer says why.
      if (answer.status < 500) return false;
    } catch {
      // The network is away: the claim can be repeated without harm.
    }
    await new Promise((done) => setTimeout(done, attempt * 1000));
  }
  return false;
}

for (const form of document.querySelectorAll("form[data-claim]")) {
  form.hidden = true;
  send(form).then((taken) => { form.hidden = taken; });
}
