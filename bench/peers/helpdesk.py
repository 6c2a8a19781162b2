"""`python -m bench.peers.helpdesk TICKETS`: django-helpdesk with so many open tickets; a turn has some of them fall
due, and runs its own escalation. The database is named by DATABASE_URL.

Nobody is to be sent mail: what it costs is its own work on its own rows.
"""

import os
import sys
import time
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from bench.peers.turns import take_turns


def main(tickets: int) -> None:
    """Makes the tickets, then takes turns."""
    _configure()
    call_command("migrate", verbosity=0)
    _open(tickets)
    take_turns(_escalate)


def _configure() -> None:
    url = urlsplit(os.environ["DATABASE_URL"])
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "HOST": url.hostname, "PORT": url.port}
    database |= {"USER": url.username, "PASSWORD": unquote(url.password or "")}
    django_apps = ["admin", "auth", "contenttypes", "humanize", "messages", "sessions", "sites"]
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=[*(f"django.contrib.{app}" for app in django_apps), "rest_framework", "helpdesk"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        HELPDESK_TEAMS_MODE_ENABLED=False,
        SITE_ID=1,
        SECRET_KEY="of no use outside this run",
        USE_TZ=True,
    )
    django.setup()


def _open(tickets: int) -> None:
    from django.db import connection
    from helpdesk.models import Queue, Ticket

    queue = Queue.objects.create(title="Complaints", slug="complaints", escalate_days=7)
    Ticket.objects.create(queue=queue, title="A bill that does not agree with the meter", priority=3)
    columns = ", ".join(field.column for field in Ticket._meta.concrete_fields if not field.primary_key)
    with connection.cursor() as cursor:
        table = Ticket._meta.db_table
        copies = f"SELECT {columns} FROM {table}, generate_series(2, {tickets})"
        cursor.execute(f"INSERT INTO {table} ({columns}) {copies}")
        cursor.execute(f"VACUUM ANALYZE {table}")


def _escalate(count: int) -> float:
    from helpdesk.models import FollowUp, Ticket

    due = Ticket.objects.filter(last_escalation=None).order_by("id").values_list("id", flat=True)[:count]
    Ticket.objects.filter(id__in=list(due)).update(created=timezone.now() - timedelta(days=8))
    before, start = FollowUp.objects.count(), time.perf_counter()
    call_command("escalate_tickets")
    seconds = time.perf_counter() - start
    assert FollowUp.objects.count() - before == count
    return seconds


if __name__ == "__main__":
    main(int(sys.argv[1]))
