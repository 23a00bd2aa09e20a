"""The embedded profile: everything on this machine, with a secret, ports and files that are kept between starts."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from ordertrail.cli.ports import claim
from ordertrail.domain.failures import ConfigurationError, OrdertrailError

SECRET_FILE = "secret"  # noqa: S105  a file name
_ADDRESSES_FILE = "addresses.json"
_KEPT_IN_DEMO = ("ORDERTRAIL_LOG_LEVEL", "ORDERTRAIL_LOG_FORMAT")


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the pieces listen on the loopback interface; the API on the host it was given."""

    api: int
    temporal: int
    ui: int


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """An embedded system: where its files are, where it listens, and the environment its processes get."""

    data_dir: Path
    host: str
    ports: Ports
    env: Mapping[str, str]

    @property
    def logs(self) -> Path:
        """The directory of the log files, one per process."""
        return self.data_dir / "logs"

    @property
    def temporal_address(self) -> str:
        """Host and port of the embedded Temporal server."""
        return f"127.0.0.1:{self.ports.temporal}"

    @property
    def url(self) -> str:
        """Where this machine reaches the API."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.ports.api}"

    @property
    def ui_url(self) -> str:
        """The Temporal Web UI."""
        return f"http://127.0.0.1:{self.ports.ui}"


def claim_ports(host: str, wanted: Ports) -> Ports:
    """The wanted ports, 0 replaced by a free one. Raises PortInUse for the first that is taken."""
    return Ports(
        api=claim(host, wanted.api, what="the API", option="--api-port"),
        temporal=claim("127.0.0.1", wanted.temporal, what="Temporal", option="--temporal-port"),
        ui=claim("127.0.0.1", wanted.ui, what="the Temporal Web UI", option="--ui-port"),
    )


def build(data_dir: Path, host: str, ports: Ports, *, environment: Mapping[str, str], demo: bool = False) -> Embedded:
    """Describe an embedded system in `data_dir`, creating the directory and its secret.

    A demo takes no settings from the environment, so that it can never reach a real provider or database.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    base = {name: value for name, value in environment.items() if _is_kept(name, demo=demo)}
    draft = Embedded(data_dir=data_dir, host=host, ports=ports, env={})
    defaults = {
        "ORDERTRAIL_PUBLIC_URL": draft.url,
        "ORDERTRAIL_SECRET_KEY": "",
        # Off unless chosen elsewhere; here every channel is to be seen.
        "ORDERTRAIL_PUSH_PROVIDER": "console",
        "ORDERTRAIL_VOICE_PROVIDER": "console",
    }
    fixed = {
        "ORDERTRAIL_DATA_DIR": str(data_dir),
        "ORDERTRAIL_TEMPORAL_UI_URL": draft.ui_url,
        "TEMPORAL_ADDRESS": draft.temporal_address,
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "PYTHONUNBUFFERED": "1",
    }
    env = defaults | base | fixed
    # A proxy on this machine asks from loopback for everybody: one is there if customers reach us by another name.
    is_private = is_loopback(host) and is_loopback(urlsplit(env["ORDERTRAIL_PUBLIC_URL"]).hostname or "")
    env["ORDERTRAIL_OPS_OPEN"] = "true" if is_private else "false"
    env["ORDERTRAIL_SECRET_KEY"] = env["ORDERTRAIL_SECRET_KEY"] or kept_secret(data_dir)
    return Embedded(data_dir=data_dir, host=host, ports=ports, env=env)


def _is_kept(name: str, *, demo: bool) -> bool:
    if name.startswith("ORDERTRAIL_"):
        return not demo or name in _KEPT_IN_DEMO
    return not name.startswith("TEMPORAL_")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def kept_secret(data_dir: Path) -> str:
    """The installation's secret, made at the first start and readable by its owner only."""
    path = data_dir / SECRET_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the data directory: two systems on the same files would corrupt them. Raises OrdertrailError if held."""
    with (data_dir / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OrdertrailError(
                "data_dir_in_use", f"another ordertrail runs in {data_dir}; end it or choose another with --data-dir"
            ) from None
        yield


def leave_addresses(embedded: Embedded) -> None:
    """Write down where the system listens, for the commands that are run beside it."""
    names = ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "ORDERTRAIL_PUBLIC_URL", "ORDERTRAIL_TEMPORAL_UI_URL")
    addresses = {name: embedded.env[name] for name in names}
    (embedded.data_dir / _ADDRESSES_FILE).write_text(json.dumps(addresses, indent=1))


def adopt(data_dir: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What a command run beside an embedded system needs in its environment; empty if none was ever started here."""
    secret = data_dir / SECRET_FILE
    if environment.get("ORDERTRAIL_SECRET_KEY") or not secret.exists():
        return {}
    addresses = data_dir / _ADDRESSES_FILE
    try:
        found: dict[str, str] = json.loads(addresses.read_text()) if addresses.exists() else {}
        found["ORDERTRAIL_SECRET_KEY"] = secret.read_text().strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError("settings", f"{data_dir} cannot be read: {type(error).__name__}") from None
    return {name: value for name, value in found.items() if not environment.get(name)}
