/** Numbers and spans of time in the page's language. Sentences come from the templates, through gettext. */

const language = document.documentElement.lang || "en";

/** Put values into a sentence: fill("{time} left", {time: "2 minutes"}). */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Write a number with the separators of the language. */
export function number(value) {
  return new Intl.NumberFormat(language).format(value);
}

/** Write an amount of minor units (cents) as money. */
export function money(minor, currency) {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

/** Write an instant as a time of day. */
export function clock(instant) {
  return new Intl.DateTimeFormat(language, { timeStyle: "medium" }).format(instant);
}

function unit(name, low, high = low) {
  const format = new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "long" });
  return low === high ? format.format(low) : format.formatRange(low, high);
}

/** Write a range of seconds in whole minutes, or in hours from two hours on; null below a minute. */
export function waitWords(low, high) {
  if (high < 60) return null;
  if (high >= 7200) return unit("hour", Math.floor(low / 3600), Math.ceil(high / 3600));
  return unit("minute", Math.floor(low / 60), Math.ceil(high / 60));
}

/** Write what a clock shows: 4:07, 1:02:33, and from a day on "3 days 4 hours". */
export function clockWords(seconds) {
  const [days, hours, minutes] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60].map(Math.floor);
  if (days > 0) return hours > 0 ? `${unit("day", days)} ${unit("hour", hours)}` : unit("day", days);
  const two = (value) => String(value).padStart(2, "0");
  const rest = two(Math.floor(seconds) % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** Write a number of seconds to be read aloud, in its largest unit. */
export function spokenWords(seconds) {
  return seconds >= 60 ? unit("minute", Math.round(seconds / 60)) : unit("second", Math.round(seconds));
}
