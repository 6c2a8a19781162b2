"""The route without a database answers as the route does."""

from datetime import UTC, datetime

import pytest

from bench.serve import forget_appeals
from chassis.ids import new_id
from visit_api.appeals import repository
from visit_api.appeals.schemas import AppealView


async def test_what_is_not_stored_is_answered_like_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "add", repository.add)  # which puts it back at the end
    forget_appeals()
    now, visit = datetime.now(UTC), new_id()
    raised = repository.Raised(new_id(), "complaint", "电费", None, now, now, "S1", None, False, False, b"")
    row = await repository.add(None, "SD", visit, raised, ())  # type: ignore[arg-type]
    answered = AppealView.model_validate(row)
    assert (answered.id, answered.visit_id, answered.state) == (raised.id, visit, "open")
