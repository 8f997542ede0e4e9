/** Asks the browser for a passkey before a form[data-passkey] is sent: "create" makes one, "get" signs in with one.
 *
 *  What the server wants is in the page (data-options names the element) or, where there are no data-options, behind the
 *  form's own address. Sentences about what went wrong are the form's data-words.
 */

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withBytes = (credentials) => credentials?.map((one) => ({ ...one, id: bytes(one.id) }));

async function wanted(form) {
  if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

async function create(options) {
  const wish = options.creation_options.publicKey;
  return navigator.credentials.create({
    publicKey: {
      ...wish,
      challenge: bytes(wish.challenge),
      user: { ...wish.user, id: bytes(wish.user.id) },
      excludeCredentials: withBytes(wish.excludeCredentials),
      // One that signs in by itself: it knows whose it is, and makes sure that this is its owner.
      authenticatorSelection: {
        ...wish.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required",
      },
    },
  });
}

async function get(options) {
  const wish = options.request_options.publicKey;
  return navigator.credentials.get({
    publicKey: { ...wish, challenge: bytes(wish.challenge), allowCredentials: withBytes(wish.allowCredentials) },
  });
}

function written(credential) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) response[part] = text(credential.response[part]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

function words(form, error) {
  const { wordsAgain, wordsKnown, wordsAddress } = form.dataset;
  return { InvalidStateError: wordsKnown, SecurityError: wordsAddress }[error.name] ?? wordsAgain;
}

async function ask(form) {
  const problem = form.querySelector("[data-problem]");
  const button = form.querySelector("button");
  problem.hidden = true;
  button.disabled = true;
  try {
    const way = form.dataset.passkey === "create" ? create : get;
    form.elements.credential.value = written(await way(await wanted(form)));
    form.submit();
  } catch (error) {
    problem.textContent = words(form, error);
    problem.hidden = false;
    problem.focus();
  } finally {
    button.disabled = false;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  const without = document.querySelector("[data-without-passkeys]");
  if (without) without.hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
}
