"""Profiles at the edge."""

from chassis.web.schemas import Body, View
from visit_api.materials.schemas import Industry, Traits


class NewProfile(Body):
    """A customer's industry (a section of GB/T 4754) and traits of use."""

    industry: Industry | None = None
    traits: Traits = []


class ProfileView(View):
    """What is known of how a customer uses electricity; nothing, where nobody noted it."""

    industry: str | None
    traits: list[str]
