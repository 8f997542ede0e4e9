// Draws the API's description, each operation to be tried.

const place = document.getElementById("docs");
const dark = matchMedia("(prefers-color-scheme: dark)");

function followTheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

function sendToken(request) {
  // Whoever is signed in here is so by a cookie, which takes Django's token against forgery.
  const own = new URL(request.url, location.href).origin === location.origin;
  if (own && !["GET", "HEAD"].includes(request.method)) request.headers["X-CSRFToken"] = place.dataset.token;
  return request;
}

// The page has its heading already: of what the description says first, only the words are drawn.
const wordsOnly = ({ React, getComponent, specSelectors }) => ({
  wrapComponents: {
    InfoContainer: () => () => React.createElement(
      "section", { className: "info", "aria-label": place.dataset.about },
      React.createElement(getComponent("Markdown", true), { source: specSelectors.info().get("description") }),
    ),
  },
});

// The library leaves some fields without a name.
function nameFields() {
  for (const field of place.querySelectorAll(".examples-select-element:not([aria-label])")) {
    field.setAttribute("aria-label", place.dataset.example);
  }
}

// The operation that the address names is drawn some time after the page is.
let named = "";

function openNamed() {
  const operation = named && document.getElementById(named);
  if (!operation) return;
  named = "";
  if (!operation.classList.contains("is-open")) operation.querySelector(".opblock-summary-control").click();
  operation.scrollIntoView();
}

function readAddress() {
  named = location.hash.slice(1);
  openNamed();
}

followTheme();
dark.addEventListener("change", followTheme);
addEventListener("hashchange", readAddress);
readAddress();
new MutationObserver(() => { nameFields(); openNamed(); }).observe(place, { childList: true, subtree: true });

window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
  plugins: [wordsOnly],
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  syntaxHighlight: { activated: false },
  requestInterceptor: sendToken,
  // Asks nobody outside whether the description is right.
  validatorUrl: null,
});
