"""Every page in every stage: how a visitor comes to see it."""

from tests.journeys.stages import accounts, after, arriving, buying, door, ended, factors, trouble
from tests.journeys.stages.stage import FAILURES, STAGES

__all__ = ["FAILURES", "STAGES", "accounts", "after", "arriving", "buying", "door", "ended", "factors", "trouble"]
