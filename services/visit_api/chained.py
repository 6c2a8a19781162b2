"""The tables that are chained, and which of their columns each form hashes. A form is never changed, only followed."""

from chassis import trail
from chassis.chain.links import Source

_OPEN = (
    "id",
    "visit_id",
    "unit_code",
    "kind",
    "contents",
    "record",
    "entered_by",
    "updated_at",
    "filed_as",
    "keep_until",
)
_FOUND_BY = ("visited_at", "customer_id", "customer_kind", "people", "appeal_types")
_SEALED = (*_OPEN, "said_digest", *_FOUND_BY)
# By the third also the hashes that its words are found by: their key stays, and a row without them is as good as gone.
ARCHIVE = Source("archive_entries", {1: _OPEN, 2: _SEALED, 3: (*_SEALED, "words")}, said=("sealed", "said_digest"))
_WHY_MISSING = ("id", "visit_id", "unit_code", "clause", "what", "reason", "given_by", "recorded_at")
_WHY_HELD = ("id", "visit_id", "unit_code", "held", "reason", "acted_by", "recorded_at")
_EXPLAINED = ("reason_sealed", "said_digest")
GAP_REASONS = Source("archive_gap_reasons", {1: _WHY_MISSING, 2: (*_WHY_MISSING, "said_digest")}, said=_EXPLAINED)
RULES = Source(
    "archive_rules", {1: ("id", "unit_code", "strict", "effective_from", "reason", "adopted_by", "recorded_at")}
)
HOLDS = Source("archive_holds", {1: _WHY_HELD, 2: (*_WHY_HELD, "said_digest")}, said=_EXPLAINED)

CHAINED = (ARCHIVE, GAP_REASONS, RULES, HOLDS, trail.CHAINED)
