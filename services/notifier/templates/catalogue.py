"""The texts shipped with the service, read once; and their publication as first versions."""

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from sqlalchemy import Connection, text

from notifier.templates.wording import Language

LANGUAGES = ("zh-CN", "en")
LanguageCode = Literal["zh-CN", "en"]

# Real time: publishing is part of a migration, which knows no domain time. What an admin has published stays; a shipped
# text that a release changes is published as the next version.
_PUBLISH = text("""
WITH published AS (
    INSERT INTO templates AS known (id, event_type, channel, language, subject, body, updated_at)
    VALUES (:id, :event, :channel, :language, :subject, :body, now())
    ON CONFLICT (id) DO UPDATE SET subject = excluded.subject, body = excluded.body, version = known.version + 1,
        updated_at = excluded.updated_at, changed_xid = excluded.changed_xid
    WHERE known.published_by IS NULL AND (known.subject, known.body) <> (excluded.subject, excluded.body)
    RETURNING id, version, subject, body, updated_at)
INSERT INTO template_versions (template_id, version, subject, body, at)
SELECT id, version, subject, body, updated_at FROM published
""")


@cache
def language(code: LanguageCode) -> Language:
    """All that is shipped of a language."""
    document = files("notifier.templates").joinpath("data", f"{code}.yaml").read_text(encoding="utf-8")
    return Language.read(yaml.safe_load(document))


def publish(connection: Connection) -> None:
    """Publishes the shipped texts that are not in force yet; safe to repeat."""
    for code in LANGUAGES:
        for wording in language(code).templates:
            wording.check()
            its = {"event": wording.event, "channel": wording.channel, "language": code}
            its |= {"subject": wording.subject, "body": wording.body}
            connection.execute(_PUBLISH, {"id": f"{wording.event}.{wording.channel}.{code}", **its})
