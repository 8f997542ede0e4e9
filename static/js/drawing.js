/** Draws the line from the board: the door at the right, those ahead, you, and those behind. */
import { figureSize } from "./place.js";
import { fill, number } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const DOOR_X = 334;
const STEP = 19;
const FLOOR_Y = 82;
const ROOM_AHEAD = 14;

function person(kind) {
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", kind);
  const head = document.createElementNS(SVG, "circle");
  for (const [name, value] of [["cy", -27], ["r", 5]]) head.setAttribute(name, value);
  const body = document.createElementNS(SVG, "path");
  body.setAttribute("d", "M-6.500 0v-13a6.500 6.500 0 0 1 13 0v13z");
  group.append(head, body);
  return group;
}

function label(text) {
  const words = document.createElementNS(SVG, "text");
  for (const [name, value] of [["y", -40], ["text-anchor", "middle"], ["font-size", 13], ["font-weight", 650]]) {
    words.setAttribute(name, value);
  }
  words.textContent = text;
  return words;
}

export class Drawing {
  constructor(element) {
    this.element = element;
    this.people = element.querySelector("[data-people]");
    this.caption = element.querySelector("[data-caption]");
    this.you = person("figure figure--you");
    this.you.append(label(element.dataset.textYou));
  }

  /** Show `ahead` people before you and `behind` after you; equal numbers draw nothing anew. */
  show(ahead, behind) {
    const key = `${ahead}/${behind}`;
    if (this.key === key) return;
    this.key = key;
    const size = figureSize(ahead, ROOM_AHEAD);
    const before = Math.ceil(ahead / size);
    const room = Math.max(0, Math.floor((DOOR_X - before * STEP) / STEP) - 1);
    const after = Math.min(room, Math.ceil(behind / size));
    this.people.replaceChildren();
    for (let index = 0; index < before; index += 1) this.put(person("figure"), index);
    for (let index = 0; index < after; index += 1) this.put(person("figure figure--behind"), before + 1 + index);
    this.put(this.you, before);
    const { textOne, textMany } = this.element.dataset;
    this.caption.textContent = size === 1 ? textOne : fill(textMany, { count: number(size) });
  }

  put(figure, index) {
    figure.setAttribute("transform", `translate(${DOOR_X - index * STEP} ${FLOOR_Y})`);
    this.people.append(figure);
  }
}
