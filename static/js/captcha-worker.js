/**
 * Looks for the number that solves a challenge, and speaks with ALTCHA's widget in its own words: {type: "work", payload,
 * start, max} in, {number, took, worker} or null out; {type: "abort"} ends it.
 */
let current = 0;

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function find({ algorithm, challenge, salt }, start, max, task) {
  const encoder = new TextEncoder();
  const began = Date.now();
  for (let number = start; number <= max && task === current; number += 1) {
    const digest = await crypto.subtle.digest(algorithm, encoder.encode(salt + number));
    if (hex(digest) === challenge) return { number, took: Date.now() - began, worker: true };
  }
  return null;
}

addEventListener("message", async ({ data }) => {
  current += 1;
  if (data.type === "work") postMessage(await find(data.payload, data.start, data.max, current));
});
