"""The life of a policy post, as data."""

from itertools import product

import pytest

from visit_api.posts.lifecycle import LIFE, Act, PostState

POSSIBLE = {
    ("submit", "draft"): "submitted",
    ("approve", "submitted"): "approved",
    ("return", "submitted"): "returned",
    ("publish", "approved"): "published",
}


@pytest.mark.clause("6.3.2.4")
@pytest.mark.parametrize(("act", "state"), list(product(Act, PostState)))
def test_a_post_is_published_only_after_approval(act: Act, state: PostState) -> None:
    assert (LIFE[act].target if LIFE[act].source == state else None) == POSSIBLE.get((act, state))
