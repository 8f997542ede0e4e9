"""What a rehearsal says at its end: a table for people, then one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from config import bookkeeping
from config.crowd.plans import ENOUGH_FOR_EVERY_KIND, MISBEHAVIOUR, Kind
from config.crowd.tally import WAYS, Tally, count_inversions, match_joins
from config.crowd.way import Via

FROM_ROWS = ("admitted", "completed", "expired", "left")
MEASURED = ("join", "board", "hold", "pay")
# None of these may be anything but 0.
MUST_BE_ZERO = (
    "oversold",
    "order_inversions",
    "limit_breaches",
    "paid_without_ticket",
    "errors_5xx",
    "answers_differing",
)
# What programs do, and what it means where none did.
OF_PROGRAMS = {
    "answers_304": "no program was told that nothing has changed",
    "answers_repeated": "no program asked again with the same key",
}
ERRORS_SHOWN = 10


@dataclass(frozen=True)
class Report:
    """The figures under their names, what else is worth telling, and why the rehearsal failed, if it did."""

    figures: Mapping[str, Any]
    remarks: Mapping[str, Any]
    errors: Sequence[str]
    failures: Sequence[str]

    def text(self) -> str:
        """Return the table, the failures, and the figures as JSON in the last line."""
        lines = ["", *(f"{name:24} {_plain(value)}" for name, value in {**self.figures, **self.remarks}.items())]
        lines += [f"  error: {error}" for error in self.errors[:ERRORS_SHOWN]]
        lines += [f"FAILED: {failure}" for failure in self.failures]
        return "\n".join([*lines, json.dumps(self.figures)])


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {number}" for name, number in value.items()) or "none"
    return str(value)


def announcement(wanted: Mapping[str, int], quantities: Mapping[str, int], *, fans: int, seed: int) -> str:
    """Say before the sale what there is and what is wanted."""
    stock = ", ".join(f"{tier} {quantities[tier]} (wanted {wanted[tier]})" for tier in quantities)
    told = f"SEED={seed} repeats this crowd. Tickets: {stock}."
    if fans < ENOUGH_FOR_EVERY_KIND:
        told += f"\nWith fewer than {ENOUGH_FOR_EVERY_KIND} fans some misbehaviour may not come about: not judged here."
    return told


def make(tally: Tally, *, fans: int, seconds: float, unsold: Sequence[str]) -> Report:
    """Work the report out of the rows and of what the crowd noted; `unsold` are scarce tiers not sold out."""
    rows = bookkeeping.figures()
    passages = match_joins(tally.joins, bookkeeping.admissions())
    figures: dict[str, Any] = {
        "via": str(tally.via),
        "fans": fans,
        "joined": rows["joined"],
        "refused": dict(sorted(tally.refused.items())),
        **{name: rows[name] for name in FROM_ROWS},
        "parallel_buys_tried": tally.happened[Kind.BUYS_TWICE] + tally.happened[Kind.BUYS_IN_TWO_QUEUES],
        "late_payments": rows["late_payments"],
        "tickets_sold": rows["tickets_sold"],
        "oversold": bookkeeping.count_oversold(),
        "order_inversions": sum(map(count_inversions, passages.values())),
        "limit_breaches": bookkeeping.count_limit_breaches(),
        "paid_without_ticket": bookkeeping.count_paid_without_ticket(),
        "errors_5xx": len(tally.errors),
        **{f"{name}_p95_ms": tally.p95_ms(name) for name in MEASURED},
        "answers_304": tally.unchanged,
        "answers_repeated": tally.repeated,
        "answers_differing": tally.differing,
        "seconds": seconds,
        "came": {way: tally.came[way] for way in WAYS},
        "misbehaviour": {str(kind): tally.happened[kind] for kind in MISBEHAVIOUR},
    }
    differences = bookkeeping.counter_differences()
    if differences:
        figures["counter_differences"] = [asdict(difference) for difference in differences]
    others = {name: number for name, number in rows.items() if name not in figures}
    return Report(
        figures=figures,
        remarks={"also": others},
        errors=tally.errors,
        failures=failures(figures, unsold=unsold),
    )


def failures(figures: Mapping[str, Any], *, unsold: Sequence[str]) -> list[str]:
    """Return in words everything that makes a rehearsal fail."""
    found = [f"{name} is {figures[name]}" for name in MUST_BE_ZERO if figures[name]]
    if figures.get("counter_differences"):
        found.append(f"{len(figures['counter_differences'])} counters differ from the rows")
    found += [f"tier {tier} has fewer tickets than wanted and is not sold out" for tier in unsold]
    return found + (_missing(figures) if figures["fans"] >= ENOUGH_FOR_EVERY_KIND else [])


def _missing(figures: Mapping[str, Any]) -> list[str]:
    """Return in words what the crowd should have done and nobody did."""
    found = [f"nobody came to the sale as {way}" for way, number in figures["came"].items() if not number]
    for kind, number in figures["misbehaviour"].items():
        if not number:
            found.append(f"nobody {kind}: the crowd did not do its work")
    if not figures["late_payments"]:
        found.append("no payment came late by the rows")
    if figures["via"] == Via.API:
        found += [why for name, why in OF_PROGRAMS.items() if not figures[name]]
    return found
