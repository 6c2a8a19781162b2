"""What is done with profiles: they are noted, and asked by what is proposed to a customer."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.etag import Unchanged
from chassis.web.tokens import Principal
from visit_api.customers.service import get_customer
from visit_api.profiles.models import Profile
from visit_api.profiles.schemas import NewProfile, ProfileView

_UNKNOWN = ProfileView(industry=None, traits=[])


async def get_profile(tx: AsyncSession, caller: Principal, customer_id: UUID) -> ProfileView:
    """What is known of the customer. Raises `NotFound`."""
    await get_customer(tx, caller, customer_id)
    return await profile_of(tx, customer_id)


async def note_profile(
    tx: AsyncSession, runtime: Runtime, caller: Principal, customer_id: UUID, new: NewProfile, unchanged: Unchanged
) -> ProfileView:
    """Notes what is known of the customer. Raises `NotFound`, `PreconditionFailed`."""
    await get_customer(tx, caller, customer_id, lock=True)
    unchanged(await profile_of(tx, customer_id))
    profile = await tx.get(Profile, customer_id) or Profile(id=customer_id)
    profile.industry, profile.traits = new.industry, sorted(set(new.traits))
    profile.noted_by, profile.updated_at = caller.sub, runtime.clock.now()
    tx.add(profile)
    return ProfileView.model_validate(profile)


async def profile_of(tx: AsyncSession, customer_id: UUID) -> ProfileView:
    """What is known of a customer, whoever asks."""
    profile = await tx.get(Profile, customer_id)
    return _UNKNOWN if profile is None else ProfileView.model_validate(profile)
