"""Settings: read from the environment under the service's prefix, refused when they do not fit, secrets unseen."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.runtime import RuntimeSettings
from chassis.settings import settings_table

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://visit_api_service:hunter2@db/visit_api",
    "BUS_DATABASE_URL": "postgresql://bus_service:hunter2@db/bus",
    "AUTH_ISSUER": "https://issuer.test",
    "AUTH_JWKS": "https://issuer.test/keys",
}


class Settings(RuntimeSettings, env_prefix="VISIT_API_"):
    """As a service declares it."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(f"VISIT_API_{name}", value)
    return monkeypatch


def test_settings_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VISIT_API_PORT", "8101")
    environment.setenv("VISIT_API_LOG_LEVEL", "")
    settings = Settings()
    assert settings.database_url.get_secret_value() == ENVIRONMENT["DATABASE_URL"]
    assert (settings.port, settings.bus, settings.auth_audience) == (8101, "embedded", "customer-visit")
    assert settings.log_level == "INFO", "an empty variable is none"
    assert "hunter2" not in repr(settings)


def test_a_mistake_is_named_without_its_value(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VISIT_API_PORT", "hunter2")
    with pytest.raises(ValidationError, match="port") as refused:
        Settings()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CLOCK_FILE", "clock.json", "STACK=local"),
        ("BUS", "kafka", "KAFKA_BOOTSTRAP_SERVERS"),
        ("BUS", "carrier-pigeon", "bus"),
        ("BUS_DATABASE_URL", "", "BUS_DATABASE_URL"),
        ("AUTH_JWKS", "http://issuer.test/keys", "https://"),
        ("DATABASE_URL", "", "database_url"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    environment: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    environment.setenv(f"VISIT_API_{name}", value)
    with pytest.raises(ValidationError, match=said):
        Settings()


def test_a_scaled_clock_is_for_the_local_stack(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VISIT_API_CLOCK_FILE", "clock.json")
    environment.setenv("VISIT_API_STACK", "local")
    assert Settings().clock_file == Path("clock.json")


def test_the_table_tells_of_every_setting_and_no_value() -> None:
    table = settings_table(Settings)
    rows = {row.split(" | ")[0].strip("| `"): row for row in table.splitlines()[2:]}
    assert set(rows) == {f"VISIT_API_{name.upper()}" for name in Settings.model_fields}
    assert "| secret | *required* | DSN of the service role, postgresql://… |" in rows["VISIT_API_DATABASE_URL"]
    assert "| `embedded`, `kafka` | `embedded` |" in rows["VISIT_API_BUS"]
    assert all(row.split(" | ")[3].strip(" |") for row in rows.values()), "each says what it is"
    assert "hunter2" not in table
