"""Which provider serves which channel, and that what is missing is named at start."""

import asyncio
import socket
from typing import Any

import pytest
from pydantic import SecretStr

from ordertrail.channels.vapid import new_vapid_key
from ordertrail.db.engine import Database
from ordertrail.domain.clock import system_clock
from ordertrail.domain.failures import ConfigurationError
from ordertrail.settings import EmailProvider, PushProvider, Settings, SmsProvider, VoiceProvider
from ordertrail.wiring.api import build_api
from ordertrail.wiring.providers import build_providers, rates
from ordertrail.wiring.shared import connect_temporal, runtime_with_metrics

TWILIO = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": SecretStr("token")}
VAPID = {"vapid_private_key": SecretStr(new_vapid_key()[0]), "vapid_subject": "mailto:ops@example.org"}


def served(settings: dict[str, Any]) -> list[tuple[str, str]]:
    built = build_providers(
        Settings(secret_key=SecretStr("not a secret, only long enough for one"), **settings),
        Database("sqlite://"),
        system_clock,
    )
    assert [(provider.name, provider.channel) for provider in built.values()] == list(built)
    return [(name, channel.value) for name, channel in built]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [("console", "email"), ("console", "sms")]),
        (
            {"push_provider": PushProvider.CONSOLE, "voice_provider": VoiceProvider.CONSOLE},
            [("console", "email"), ("console", "sms"), ("console", "push"), ("console", "voice")],
        ),
        (
            {
                "email_provider": EmailProvider.SMTP, "smtp_host": "mailpit", "sms_provider": SmsProvider.TWILIO,
                "push_provider": PushProvider.VAPID, "voice_provider": VoiceProvider.TWILIO, **TWILIO, **VAPID,
            },
            [("smtp", "email"), ("twilio", "sms"), ("webpush", "push"), ("twilio_voice", "voice")],
        ),
        (
            {"email_provider": EmailProvider.SENDGRID, "sendgrid_api_key": SecretStr("key")},
            [("sendgrid", "email"), ("console", "sms")],
        ),
    ],
    ids=["as it comes", "everything on the console", "everything real", "mail only"],
)  # fmt: skip
def test_each_channel_has_the_provider_that_was_chosen(
    settings: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert served(settings) == expected


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"email_provider": EmailProvider.SENDGRID}, "SENDGRID_API_KEY"),
        ({"email_provider": EmailProvider.SMTP}, "SMTP_HOST"),
        ({"sms_provider": SmsProvider.TWILIO}, "TWILIO_ACCOUNT_SID"),
        ({"voice_provider": VoiceProvider.TWILIO, **TWILIO, "twilio_auth_token": None}, "TWILIO_AUTH_TOKEN"),
        ({"push_provider": PushProvider.VAPID}, "VAPID_PRIVATE_KEY"),
        ({"push_provider": PushProvider.VAPID, **VAPID, "vapid_subject": None}, "VAPID_SUBJECT"),
        ({"push_provider": PushProvider.VAPID, **VAPID, "vapid_subject": "nobody"}, "VAPID_SUBJECT"),
    ],
)
def test_what_is_missing_is_named(settings: dict[str, Any], missing: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        served(settings)
    assert f"ORDERTRAIL_{missing}" in str(raised.value)


@pytest.mark.parametrize("key", ["not base64", "bm8ga2V5"])
def test_a_wrong_verification_key_is_named_at_start(key: str) -> None:
    settings = Settings(secret_key=SecretStr("not a secret, only long enough for one"), sendgrid_webhook_public_key=key)
    with pytest.raises(ConfigurationError, match="ORDERTRAIL_SENDGRID_WEBHOOK_PUBLIC_KEY"):
        build_api(settings)


def test_every_real_provider_has_a_rate() -> None:
    limits = rates(Settings(secret_key=SecretStr("not a secret, only long enough for one")))
    assert set(limits) == {"sendgrid", "smtp", "twilio", "twilio_voice", "webpush"}


def test_the_sdk_shows_its_figures_also_when_temporal_is_away_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    runtime = runtime_with_metrics("127.0.0.1", port)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            asyncio.run(connect_temporal(runtime=runtime))
    with pytest.raises(ConfigurationError, match=f"SDK_METRICS_PORT.*{port}"):
        runtime_with_metrics("127.0.0.1", port)
