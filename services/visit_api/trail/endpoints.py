"""`/v1/trail`: who read or did what with what is personal."""

from chassis.web.trail import TrailLine, trail_of
from visit_api.base import Base
from visit_api.directory.models import Unit


class Line(TrailLine, Base):
    """A line of this service's trail."""


router = trail_of(Line, Unit)
