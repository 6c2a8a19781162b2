"""`/v1/trail`: who read or did what with what is personal."""

from appeal_tracker.base import Base
from appeal_tracker.directory.models import Unit
from chassis.web.trail import TrailLine, trail_of


class Line(TrailLine, Base):
    """A line of this service's trail."""


router = trail_of(Line, Unit)
