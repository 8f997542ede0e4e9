"""Every page in every stage: how a visitor comes to see it."""

from tests.journeys.stages import accounts, after, arriving, buying
from tests.journeys.stages.stage import STAGES

__all__ = ["STAGES", "accounts", "after", "arriving", "buying"]
