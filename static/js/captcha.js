/** Lets ALTCHA's widget do its sums in a worker from a file of ours: the one it brings along is no file, and barred here. */
globalThis.altchaCreateWorker = () => new Worker(document.querySelector("altcha-widget").dataset.worker);
