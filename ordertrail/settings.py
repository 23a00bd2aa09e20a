"""Settings from the environment (`ORDERTRAIL_*`); frozen, and no secret has a default."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AnyHttpUrl, DirectoryPath, Field, PlainSerializer, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ordertrail.domain.failures import ConfigurationError


class EmailProvider(StrEnum):
    CONSOLE = "console"
    SENDGRID = "sendgrid"
    SMTP = "smtp"


class SmsProvider(StrEnum):
    CONSOLE = "console"
    TWILIO = "twilio"


class PushProvider(StrEnum):
    OFF = "off"
    CONSOLE = "console"
    VAPID = "vapid"


class VoiceProvider(StrEnum):
    OFF = "off"
    CONSOLE = "console"
    TWILIO = "twilio"


class SmtpSecurity(StrEnum):
    """How the connection to a mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


BaseUrl = Annotated[AnyHttpUrl, PlainSerializer(str, return_type=str)]


class Settings(BaseSettings):
    """What an installation is told. Temporal's own settings are the standard `TEMPORAL_*` ones, read by its SDK."""

    model_config = SettingsConfigDict(env_prefix="ORDERTRAIL_", env_ignore_empty=True, frozen=True, extra="ignore")

    secret_key: SecretStr = Field(min_length=32, description="Signs tracking links and keys pseudonyms; keep it")
    data_dir: Path = Field(Path(".ordertrail"), description="Where embedded servers keep their files")
    database_url: str = Field("", description="SQLAlchemy URL; empty is SQLite in the data directory")
    public_url: BaseUrl = Field(AnyHttpUrl("http://127.0.0.1:8000"), description="Where customers reach this server")
    temporal_ui_url: str = Field("", description="Where operators reach the Temporal Web UI; shown in links")
    templates_dir: DirectoryPath | None = Field(
        None, description="Brands' own templates: `<brand>/messages/…`, `<brand>/portal/…`; they go first"
    )
    task_queue: str = Field("ordertrail", description="Temporal task queue of workflows and advance")
    email_provider: EmailProvider = Field(EmailProvider.CONSOLE, description="`console`, `sendgrid` or `smtp`")
    sms_provider: SmsProvider = Field(SmsProvider.CONSOLE, description="`console` or `twilio`")
    push_provider: PushProvider = Field(PushProvider.OFF, description="`off`, `console` or `vapid` (web push)")
    voice_provider: VoiceProvider = Field(VoiceProvider.OFF, description="`off`, `console` or `twilio`")
    sendgrid_api_key: SecretStr | None = Field(None, description="Needed to send by SendGrid")
    sendgrid_base_url: BaseUrl = Field(
        AnyHttpUrl("https://api.sendgrid.com"), description="Where SendGrid's API is; another host for tests or the EU"
    )
    sendgrid_webhook_public_key: str | None = Field(None, description="Verification key of the signed event webhook")
    sendgrid_callback_window_s: float = Field(120, description="How long an unclear send waits for its callback")
    twilio_account_sid: str | None = Field(None, description="Needed to text by Twilio")
    twilio_auth_token: SecretStr | None = Field(
        None, description="Needed to text by Twilio and to verify its callbacks"
    )
    twilio_base_url: BaseUrl = Field(
        AnyHttpUrl("https://api.twilio.com"), description="Where Twilio's API is; another host for tests or a region"
    )
    twilio_from: str | None = Field(
        None, description="Number, sender id or messaging service (MG…) if a brand has none"
    )
    twilio_voice_from: str | None = Field(None, description="Number that calls come from if a brand has none")
    smtp_host: str | None = Field(None, description="Needed to send by SMTP")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server")
    smtp_username: str | None = Field(None, description="Empty: the mail server wants no login")
    smtp_password: SecretStr | None = Field(None, description="Password of that login")
    smtp_security: SmtpSecurity = Field(
        SmtpSecurity.STARTTLS, description="`starttls`, `tls` (from the start) or `none`"
    )
    vapid_private_key: SecretStr | None = Field(
        None, description="Needed for web push; `ordertrail keys vapid` makes one; a new one ends all subscriptions"
    )
    vapid_subject: str | None = Field(
        None, description="Needed for web push: where push services reach you, `mailto:` or `https:`"
    )
    push_allow_private: bool = Field(
        False, description="Take push services without TLS and on private addresses; for tests only"
    )
    provider_timeout_s: float = Field(10, gt=0, le=10, description="How long a provider may take to answer, in seconds")
    sendgrid_rate: float = Field(100, gt=0, description="Sends per second, over all workers")
    twilio_rate: float = Field(50, gt=0, description="Sends per second, over all workers")
    twilio_voice_rate: float = Field(1, gt=0, description="Calls per second, over all workers")
    smtp_rate: float = Field(20, gt=0, description="Sends per second, over all workers")
    push_rate: float = Field(100, gt=0, description="Sends per second, over all workers")
    ops_open: bool = Field(False, description="Serve /outbox without a key; for the embedded system on loopback only")
    max_body_bytes: int = Field(1_000_000, gt=0, description="Larger request bodies are refused (413)")
    rate_limit_per_s: float = Field(200, gt=0, description="Requests per second and API key, averaged")
    rate_limit_burst: int = Field(400, gt=0, description="Requests at once per API key, above that average")
    metrics_host: str = Field("127.0.0.1", description="Address the two metrics ports of the worker listen on")
    worker_metrics_port: int = Field(0, ge=0, le=65535, description="Prometheus port of the worker; 0 is off")
    sdk_metrics_port: int = Field(0, ge=0, le=65535, description="Prometheus port of the Temporal SDK; 0 is off")
    log_format: str = Field("json", pattern="^(json|text)$", description="`json` or `text`")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`"
    )
    unmatched_days: int = Field(30, gt=0, description="Unmatched events older than this become dead letters")

    @property
    def sqlalchemy_url(self) -> str:
        """The database to use."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'ordertrail.db').absolute()}"

    def secret(self) -> bytes:
        """The installation's key material."""
        return self.secret_key.get_secret_value().encode()


def load_settings() -> Settings:
    """Settings from the environment. Raises ConfigurationError naming each setting that is missing or wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"ORDERTRAIL_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False)
        )
        raise ConfigurationError("settings", problems) from None
