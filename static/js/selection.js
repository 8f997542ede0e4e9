/**
 * Choosing tickets: steppers, a live summary, and the stock as it is now. The server counts again what is sent.
 *
 * form[data-selection] has data-currency, data-maximum and data-availability-url; each [data-tier] has its data-name and,
 * for one ticket and in minor units, its data-price and data-fee. The words for the stock stand in [data-texts].
 */
import { fill, money, number } from "./words.js";

const STOCK_SECONDS = 10;

/** Return {subtotal, fee, total} in minor units of lines {price, fee, quantity}; the fee is that of one ticket. */
export function sums(lines) {
  const subtotal = lines.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
  const fees = lines.reduce((sum, { fee, quantity }) => sum + fee * quantity, 0);
  return { subtotal, fee: fees, total: subtotal + fees };
}

class Selection {
  constructor(form) {
    this.form = form;
    this.texts = form.querySelector("[data-texts]").dataset;
    this.maximum = Number(form.dataset.maximum);
    this.tiers = [...form.querySelectorAll("[data-tier]")];
    form.addEventListener("click", (event) => this.step(event.target.closest("[data-step]")));
    form.addEventListener("input", () => this.show());
    for (const button of form.querySelectorAll("[data-step]")) button.hidden = false;
    form.querySelector("[data-summary]").hidden = false;
    this.show();
    this.follow();
  }

  quantity(tier) {
    const field = tier.querySelector("[data-quantity]");
    return field.disabled ? 0 : Math.max(0, Number.parseInt(field.value, 10) || 0);
  }

  chosen() {
    return this.tiers.reduce((sum, tier) => sum + this.quantity(tier), 0);
  }

  step(button) {
    if (!button) return;
    const tier = button.closest("[data-tier]");
    tier.querySelector("[data-quantity]").value = Math.max(0, this.quantity(tier) + Number(button.dataset.step));
    this.show();
  }

  show() {
    const room = this.maximum - this.chosen();
    for (const tier of this.tiers) {
      const [quantity, field] = [this.quantity(tier), tier.querySelector("[data-quantity]")];
      tier.classList.toggle("is-chosen", quantity > 0);
      tier.querySelector('[data-step="-1"]').disabled = quantity === 0;
      tier.querySelector('[data-step="1"]').disabled = field.disabled || room <= 0 || quantity >= Number(field.max);
    }
    this.showSums();
  }

  showSums() {
    const lines = this.tiers
      .map((tier) => ({ ...tier.dataset, quantity: this.quantity(tier) }))
      .map((line) => ({ ...line, price: Number(line.price), fee: Number(line.fee) }))
      .filter(({ quantity }) => quantity > 0);
    const { currency } = this.form.dataset;
    const amounts = sums(lines);
    this.form.querySelector("[data-lines]").replaceChildren(...lines.map((line) => this.row(line, currency)));
    for (const [name, place] of [["subtotal", "subtotal"], ["fee", "fee-sum"], ["total", "total"]]) {
      this.form.querySelector(`[data-${place}]`).textContent = money(amounts[name], currency);
    }
  }

  row({ name, price, quantity }, currency) {
    const [row, what, amount] = ["tr", "th", "td"].map((tag) => document.createElement(tag));
    what.scope = "row";
    what.textContent = `${number(quantity)} × ${name}`;
    amount.textContent = money(price * quantity, currency);
    row.append(what, amount);
    return row;
  }

  async follow() {
    if (!document.hidden) await this.readStock();
    setTimeout(() => this.follow(), STOCK_SECONDS * 1000);
  }

  async readStock() {
    try {
      const answer = await fetch(this.form.dataset.availabilityUrl, { signal: AbortSignal.timeout(8000) });
      if (!answer.ok) return;
      const { tiers } = await answer.json();
      for (const news of tiers) this.showStock(news);
      this.show();
    } catch {
      // The numbers on the page stay as they were; the server decides when tickets are held.
    }
  }

  showStock({ tier: slug, available, level }) {
    const tier = this.tiers.find((element) => element.dataset.tier === slug);
    if (!tier) return;
    const [stock, field] = [tier.querySelector("[data-stock]"), tier.querySelector("[data-quantity]")];
    stock.dataset.level = level;
    stock.textContent = available > 0 ? fill(this.texts.available, { count: number(available) }) : this.texts.gone;
    field.disabled = available <= 0;
    field.max = Math.min(this.maximum, available);
    tier.classList.toggle("is-gone", available <= 0);
  }
}

for (const form of document.querySelectorAll("form[data-selection]")) new Selection(form);
