"""What the crowd knows of the sale beforehand: its addresses, and how long a fan has for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One queue of the sale; `opens_at` is seconds since the epoch, `code` opens it where it asks for one."""

    name: str
    slug: str
    opens_at: float = 0
    code: str = ""

    @property
    def page(self) -> str:
        return f"/queues/{self.slug}/"

    @property
    def api(self) -> str:
        return f"/api/v1/queues/{self.slug}/"

    @property
    def board(self) -> str:
        return f"{self.api}board/"


@dataclass(frozen=True)
class Sale:
    """An event, its presale and its general sale."""

    event_slug: str
    presale: Line
    general: Line
    window_seconds: int
    claim_seconds: int
    grace_seconds: int

    @property
    def event_page(self) -> str:
        return f"/events/{self.event_slug}/"

    @property
    def event_in_api(self) -> str:
        return f"/api/v1/events/{self.event_slug}/"

    @property
    def availability(self) -> str:
        return f"{self.event_in_api}availability/"

    @property
    def lines(self) -> tuple[Line, Line]:
        return (self.presale, self.general)

    @property
    def lapse_seconds(self) -> float:
        """After so long a hold has surely lapsed and been given back."""
        return max(self.window_seconds, self.grace_seconds) + 3

    @property
    def absence_seconds(self) -> float:
        """After so long a fan who has not shown up has surely lost the turn."""
        return (self.claim_seconds or self.window_seconds) + 3
