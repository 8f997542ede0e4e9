/** Beats every `data` milliseconds, or no more at 0: a worker's clock goes on where that of a hidden page is held back. */
let timer;
addEventListener("message", ({ data }) => {
  clearInterval(timer);
  if (data > 0) timer = setInterval(() => postMessage(null), data);
});
