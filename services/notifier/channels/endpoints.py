"""HTTP of channels: what there is, and the accounts by which they send."""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Depends, Query

from chassis.web.auth import ADMIN, Caller, require
from chassis.web.etag import Match
from chassis.web.paging import Listing, Page, Paging, WholePaging
from chassis.web.route import Router
from chassis.web.schemas import Code
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from notifier.channels import service
from notifier.channels.models import Account
from notifier.channels.providers import PROVIDERS, bounds
from notifier.channels.schemas import AccountChange, AccountView, NewAccount, ProviderView

router = Router(prefix="/v1", tags=["channels"])

Admin = Annotated[Principal, Depends(require(ADMIN))]


@router.get("/channels", response_model=Page[ProviderView])
async def list_channels(caller: Caller, window: WholePaging) -> Listing[ProviderView]:
    """Every provider: its channel, what an account of it holds, what it bears. They change with the release only."""
    return window.of([_provider(name) for name in PROVIDERS], lambda view: view.id)


@router.post("/accounts", status_code=201, response_model=AccountView)
async def add_account(tx: Tx, runtime: TheRuntime, caller: Admin, new: NewAccount) -> Account:
    """Gives a unit, and those below it, an account to send by."""
    return await service.add(tx, runtime, caller, new)


@router.get("/accounts", response_model=Page[AccountView])
async def list_accounts(
    tx: Tx,
    caller: Admin,
    paging: Paging,
    unit_code: Annotated[Code | None, Query()] = None,
    provider: Annotated[Code | None, Query()] = None,
) -> object:
    """The accounts of the caller's unit and of those below it; never their secrets."""
    return await service.listed(tx, caller, paging, unit_code=unit_code, provider=provider)


@router.get("/accounts/{id}", response_model=AccountView)
async def get_account(tx: Tx, caller: Admin, id: UUID) -> Account:
    """One account, without its secrets."""
    return await service.one(tx, caller, id)


@router.patch("/accounts/{id}", response_model=AccountView)
async def change_account(
    tx: Tx, runtime: TheRuntime, caller: Admin, match: Match, id: UUID, change: AccountChange
) -> Account:
    """Changes an account, puts it into use or out of it."""
    return await service.change(tx, runtime, caller, id, change, match.on(AccountView))


def _provider(name: str) -> ProviderView:
    its, bears = PROVIDERS[name], bounds(name)
    return ProviderView(
        id=name,
        channel=its.channel,
        settings=[field.name for field in msgspec.structs.fields(its.settings)],
        secrets=[field.name for field in msgspec.structs.fields(its.secrets)],
        bytes=bears.bytes,
        limits=[msgspec.structs.asdict(limit) for limit in bears.limits],
    )
