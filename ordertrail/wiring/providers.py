"""Builds the provider of each channel that is served."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import SecretStr

from ordertrail.channels.base import Provider
from ordertrail.channels.console import Console
from ordertrail.channels.sendgrid import SendGridEmail
from ordertrail.channels.smtp import SmtpEmail
from ordertrail.channels.twilio_sms import TwilioSms
from ordertrail.channels.twilio_voice import TwilioVoice
from ordertrail.channels.web_push import WebPush
from ordertrail.db.engine import Database
from ordertrail.domain.clock import Clock
from ordertrail.domain.failures import ConfigurationError
from ordertrail.domain.message import OutgoingMessage
from ordertrail.domain.vocabulary import Channel
from ordertrail.settings import EmailProvider, PushProvider, Settings, SmsProvider, VoiceProvider

T = TypeVar("T")


def build_providers(settings: Settings, database: Database, clock: Clock) -> dict[tuple[str, Channel], Provider]:
    """The provider of each channel that is on. Raises ConfigurationError for one chosen without its credentials."""
    built = [build(settings, database, clock) for build in (_email, _sms, _push, _voice)]
    return {(provider.name, provider.channel): provider for provider in built if provider is not None}


def rates(settings: Settings) -> dict[str, float]:
    """Sends per second over all workers, by provider; those without a row have no limit of ours."""
    return {
        SendGridEmail.name: settings.sendgrid_rate,
        SmtpEmail.name: settings.smtp_rate,
        TwilioSms.name: settings.twilio_rate,
        TwilioVoice.name: settings.twilio_voice_rate,
        WebPush.name: settings.push_rate,
    }


def _email(settings: Settings, database: Database, clock: Clock) -> Provider:
    match settings.email_provider:
        case EmailProvider.CONSOLE:
            return Console(Channel.EMAIL, database, clock)
        case EmailProvider.SENDGRID:
            return SendGridEmail(
                api_key=_needed(settings.sendgrid_api_key, "SENDGRID_API_KEY", "send email by SendGrid"),
                base_url=str(settings.sendgrid_base_url),
                timeout=settings.provider_timeout_s,
            )
        case EmailProvider.SMTP:
            return SmtpEmail(
                host=_needed(settings.smtp_host, "SMTP_HOST", "send email by SMTP"),
                port=settings.smtp_port,
                security=settings.smtp_security,
                username=settings.smtp_username,
                password=settings.smtp_password,
                timeout=settings.provider_timeout_s,
            )


def _sms(settings: Settings, database: Database, clock: Clock) -> Provider:
    if settings.sms_provider is SmsProvider.CONSOLE:
        return Console(Channel.SMS, database, clock)
    twilio = _twilio(settings, "text by Twilio")
    return TwilioSms(
        account_sid=twilio.account_sid,
        auth_token=twilio.auth_token,
        base_url=str(settings.twilio_base_url),
        status_callback=twilio.callback,
        default_from=settings.twilio_from,
        timeout=settings.provider_timeout_s,
    )


def _push(settings: Settings, database: Database, clock: Clock) -> Provider | None:
    match settings.push_provider:
        case PushProvider.OFF:
            return None
        case PushProvider.CONSOLE:
            return Console(Channel.PUSH, database, clock)
        case PushProvider.VAPID:
            return WebPush(
                database=database,
                clock=clock,
                private_key=_needed(settings.vapid_private_key, "VAPID_PRIVATE_KEY", "send web push"),
                subject=_needed(settings.vapid_subject, "VAPID_SUBJECT", "send web push"),
                timeout=settings.provider_timeout_s,
                allow_private=settings.push_allow_private,
            )


def _voice(settings: Settings, database: Database, clock: Clock) -> Provider | None:
    match settings.voice_provider:
        case VoiceProvider.OFF:
            return None
        case VoiceProvider.CONSOLE:
            return Console(Channel.VOICE, database, clock)
        case VoiceProvider.TWILIO:
            twilio = _twilio(settings, "call by Twilio")
            return TwilioVoice(
                account_sid=twilio.account_sid,
                auth_token=twilio.auth_token,
                base_url=str(settings.twilio_base_url),
                status_callback=twilio.callback,
                keys_callback=lambda message: f"{twilio.callback(message)}/keys",
                default_from=settings.twilio_voice_from,
                timeout=settings.provider_timeout_s,
            )


@dataclass(frozen=True, kw_only=True)
class _Twilio:
    account_sid: str
    auth_token: SecretStr
    callback: Callable[[OutgoingMessage], str]


def _twilio(settings: Settings, purpose: str) -> _Twilio:
    public_url = str(settings.public_url).rstrip("/")
    return _Twilio(
        account_sid=_needed(settings.twilio_account_sid, "TWILIO_ACCOUNT_SID", purpose),
        auth_token=_needed(settings.twilio_auth_token, "TWILIO_AUTH_TOKEN", purpose),
        callback=lambda message: f"{public_url}/v1/hooks/twilio/{message.brand.id}/{message.delivery_id}",
    )


def _needed(value: T | None, setting: str, purpose: str) -> T:
    if not value:
        raise ConfigurationError("settings", f"ORDERTRAIL_{setting} is needed to {purpose}")
    return value
