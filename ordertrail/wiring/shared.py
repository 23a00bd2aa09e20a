"""What the api and the worker construct alike."""

from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from ordertrail.channels.base import Provider
from ordertrail.channels.console import Console
from ordertrail.channels.sendgrid import SendGridEmail
from ordertrail.channels.twilio_sms import TwilioSms
from ordertrail.db.engine import Database
from ordertrail.domain.clock import Clock
from ordertrail.domain.failures import ConfigurationError
from ordertrail.domain.message import OutgoingMessage
from ordertrail.domain.vocabulary import Channel
from ordertrail.settings import EmailProvider, Settings, SmsProvider


async def connect_temporal(*, sdk_metrics_port: int = 0) -> Client:
    """A client by the standard `TEMPORAL_*` settings. Raises RuntimeError while the server cannot be reached."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "127.0.0.1:7233")
    runtime = None
    if sdk_metrics_port:
        metrics = PrometheusConfig(bind_address=f"127.0.0.1:{sdk_metrics_port}")
        runtime = Runtime(telemetry=TelemetryConfig(metrics=metrics))
    return await Client.connect(**config, data_converter=pydantic_data_converter, runtime=runtime)


def templates_dir() -> Path:
    """Where the templates are: beside the packages, in a checkout and in a wheel alike."""
    return Path(__file__).resolve().parents[2] / "templates"


def build_providers(settings: Settings, database: Database, clock: Clock) -> dict[tuple[str, Channel], Provider]:
    """The provider of each channel. Raises ConfigurationError when one is chosen without its credentials."""
    providers = [_email(settings, database, clock), _sms(settings, database, clock)]
    return {(provider.name, provider.channel): provider for provider in providers}


def _email(settings: Settings, database: Database, clock: Clock) -> Provider:
    if settings.email_provider is EmailProvider.CONSOLE:
        return Console(Channel.EMAIL, database, clock)
    if settings.sendgrid_api_key is None:
        raise ConfigurationError("settings", "ORDERTRAIL_SENDGRID_API_KEY is needed to send email by SendGrid")
    return SendGridEmail(
        api_key=settings.sendgrid_api_key, base_url=str(settings.sendgrid_base_url), timeout=settings.provider_timeout_s
    )


def _sms(settings: Settings, database: Database, clock: Clock) -> Provider:
    if settings.sms_provider is SmsProvider.CONSOLE:
        return Console(Channel.SMS, database, clock)
    if settings.twilio_account_sid is None or settings.twilio_auth_token is None:
        raise ConfigurationError(
            "settings", "ORDERTRAIL_TWILIO_ACCOUNT_SID and ORDERTRAIL_TWILIO_AUTH_TOKEN are needed to text by Twilio"
        )
    public_url = str(settings.public_url).rstrip("/")

    def status_callback(message: OutgoingMessage) -> str:
        return f"{public_url}/v1/hooks/twilio/{message.brand.id}/{message.delivery_id}"

    return TwilioSms(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        base_url=str(settings.twilio_base_url),
        status_callback=status_callback,
        default_from=settings.twilio_from,
        timeout=settings.provider_timeout_s,
    )
