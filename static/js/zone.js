/** Adds the visitor's own time to every <time datetime data-zone data-own>, where it is another one than the event's. */
import { fill } from "./words.js";

const SHOWN = { weekday: "short", hour: "numeric", minute: "2-digit" };
const COMPARED = { ...SHOWN, day: "numeric", month: "numeric", year: "numeric" };

/** Return what an instant is called here, or "" where it is called the same in the zone. */
export function ownTime(instant, zone, language, here = undefined) {
  const inZone = (timeZone, parts) => new Intl.DateTimeFormat(language, { ...parts, timeZone }).format(instant);
  return inZone(zone, COMPARED) === inZone(here, COMPARED) ? "" : inZone(here, SHOWN);
}

for (const element of document.querySelectorAll("time[data-zone]")) {
  const { zone, own } = element.dataset;
  const time = ownTime(new Date(element.dateTime), zone, document.documentElement.lang);
  if (!time) continue;
  const added = document.createElement("span");
  added.className = "own-time";
  // Day, time and half of the day stay on one line.
  added.textContent = `(${fill(own, { time: time.replaceAll(" ", "\u00a0") })})`;
  element.after(" ", added);
}
