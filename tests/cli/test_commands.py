"""What a person at a shell gets: help that reads well, and one clear line for each expected failure."""

import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from ordertrail.cli import embedded
from ordertrail.domain.failures import OrdertrailError
from tests.cli.conftest import SECRET, Run, clean_environment

COMMANDS = [
    (), ("up",), ("demo",), ("api",), ("worker",), ("temporal",), ("temporal-setup",), ("db", "upgrade"),
    ("orders", "show"), ("orders", "rebuild"), ("inbox", "list"), ("inbox", "replay"), ("keys", "create"),
    ("keys", "list"), ("keys", "revoke"), ("brands", "import"), ("brands", "check"), ("brands", "list"),
    ("templates", "preview"),
]  # fmt: skip
BRAND = """
id: shop
name: A shop
zone: Europe/Madrid
sender: {email: hello@shop.example, name: A shop}
support: {email: help@shop.example}
"""


@pytest.fixture
def ready(run: Run, tmp_path: Path) -> Run:
    """The command line with a database and a brand."""
    file = tmp_path / "brand.yaml"
    file.write_text(BRAND)

    def call(*argv: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        return run(*argv, **{"ORDERTRAIL_SECRET_KEY": SECRET, **settings})

    assert call("db", "upgrade").returncode == 0
    assert call("brands", "import", str(file)).stdout == "Imported: shop\n"
    return call


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def one_line(result: "subprocess.CompletedProcess[str]") -> str:
    """The single line on stderr of an expected failure."""
    assert result.returncode == 2, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("ordertrail: ")
    return line.removeprefix("ordertrail: ")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "ordertrail")
def test_every_command_explains_itself(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.returncode == 0, result.stderr
    assert "Usage:" in result.stdout
    words = result.stdout.split("Usage:")[1].splitlines()[1:]
    explanation = next(line.strip() for line in words if line.strip())
    assert len(explanation.split()) >= 3
    assert "Traceback" not in result.stdout + result.stderr


def test_a_failure_is_one_line_for_a_real_shell_too(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "ordertrail.cli", "db", "upgrade"],
        env=clean_environment(tmp_path, {}), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "ORDERTRAIL_SECRET_KEY" in one_line(result)


def test_a_missing_setting_is_named(run: Run) -> None:
    for command in (("api",), ("worker",), ("db", "upgrade"), ("orders", "show", "x")):
        assert "ORDERTRAIL_SECRET_KEY" in one_line(run(*command))


def test_a_wrong_setting_is_named_without_its_value(run: Run) -> None:
    line = one_line(run("db", "upgrade", ORDERTRAIL_SECRET_KEY="too-short-secret"))
    assert "ORDERTRAIL_SECRET_KEY" in line
    assert "too-short-secret" not in line


def test_a_missing_database_says_how_to_make_one(run: Run, tmp_path: Path) -> None:
    line = one_line(run("keys", "list", ORDERTRAIL_SECRET_KEY=SECRET))
    assert "ordertrail db upgrade" in line
    assert not (tmp_path / "data" / "ordertrail.db").exists(), "looking must not create it"


def test_a_database_that_is_away_is_told_without_its_password(run: Run) -> None:
    url = "postgresql+psycopg://shop:very-private@127.0.0.1:1/shop"
    result = run("db", "upgrade", ORDERTRAIL_SECRET_KEY=SECRET, ORDERTRAIL_DATABASE_URL=url)
    assert "127.0.0.1:1/shop cannot be reached" in one_line(result)
    assert "very-private" not in result.stderr


def test_a_database_url_that_is_none_is_told(run: Run) -> None:
    for url in ("nonsense", "oracle9://x/y", "postgresql+nothing://x/y"):
        result = run("db", "upgrade", ORDERTRAIL_SECRET_KEY=SECRET, ORDERTRAIL_DATABASE_URL=url)
        assert "ORDERTRAIL_DATABASE_URL" in one_line(result)


def test_temporal_away_is_told_with_its_address(ready: Run) -> None:
    for command in (("worker", "--wait", "0"), ("orders", "rebuild"), ("temporal-setup", "--wait", "0")):
        assert "127.0.0.1:1" in one_line(ready(*command, TEMPORAL_ADDRESS="127.0.0.1:1"))


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("option", ["--api-port", "--temporal-port", "--ui-port"])
def test_a_port_in_use_is_named_with_its_option(run: Run, taken: int, command: str, option: str) -> None:
    others = [each for each in ("--api-port", "--temporal-port", "--ui-port") if each != option]
    free = [word for each in others for word in (each, "0")]
    line = one_line(run(command, option, str(taken), *free))
    assert f"port {taken} " in line
    assert option in line


def test_a_port_in_use_is_named_by_the_single_pieces_too(ready: Run, taken: int) -> None:
    assert f"port {taken} (the API)" in one_line(ready("api", "--port", str(taken)))
    assert f"port {taken} (Temporal)" in one_line(ready("temporal", "--port", str(taken)))


def test_keys_are_made_listed_and_revoked(ready: Run) -> None:
    made = ready("keys", "create", "--brand", "shop", "--name", "till")
    secret = made.stdout.strip()
    key_id = made.stderr.split()[0]
    assert secret.startswith("otk_")
    listed = ready("keys", "list").stdout
    assert f"{key_id}\tshop\ttill" in listed
    assert secret not in listed
    assert ready("keys", "revoke", key_id).returncode == 0
    assert key_id in one_line(ready("keys", "revoke", key_id))
    assert "brands list" in one_line(ready("keys", "create", "--brand", "nobody"))
    assert "lower-case" in one_line(ready("keys", "create", "--brand", "shop", "--name", "The Till"))


def test_a_brand_file_that_is_wrong_names_the_field(ready: Run, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(BRAND.replace("Europe/Madrid", "Europe/Nowhere"))
    assert "brand 1, zone: " in one_line(ready("brands", "import", str(file)))
    file.write_text("{")
    assert "neither YAML nor JSON" in one_line(ready("brands", "import", str(file)))
    assert "cannot be read" in one_line(ready("brands", "import", str(tmp_path / "none.yaml")))
    assert ready("brands", "list").stdout.splitlines()[1].split("\t")[0] == "shop"


def test_a_brand_nobody_can_reach_is_not_imported_and_the_check_says_why(ready: Run, tmp_path: Path) -> None:
    file = tmp_path / "mute.yaml"
    file.write_text(BRAND.replace("id: shop", "id: mute").replace("support: {email: help@shop.example}", ""))
    assert "brand mute, support: contact missing" in one_line(ready("brands", "import", str(file)))
    checked = ready("brands", "check", str(file))
    assert checked.returncode == 1
    assert "mute: error: support: contact missing (no email, phone or page)" in checked.stdout.splitlines()
    assert "mute" not in ready("brands", "list").stdout
    assert ready("brands", "import", "--unchecked", str(file)).returncode == 0


def test_a_brands_own_templates_are_checked_and_previewed(ready: Run, tmp_path: Path) -> None:
    file, own = tmp_path / "shop.yaml", tmp_path / "own" / "shop" / "messages" / "shipped"
    file.write_text(BRAND)
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("Off it goes: {{ facts.order_number }}")
    ours = {"ORDERTRAIL_TEMPLATES_DIR": str(tmp_path / "own")}
    out = tmp_path / "preview"
    asked = ("--brand", "shop", "--kind", "shipped", "--language", "en", "--out", str(out))
    assert ready("templates", "preview", *asked, **ours).returncode == 0
    assert "Subject: Off it goes: CV-1042" in (out / "shipped" / "en-realistic" / "email.txt").read_text()
    (own / "subject.txt").write_text("{{ facts.no_such_fact }}")
    checked = ready("brands", "check", str(file), **ours)
    assert (checked.returncode, "shipped" in checked.stdout) == (1, True)
    nowhere = ready("brands", "check", str(file), ORDERTRAIL_TEMPLATES_DIR=str(tmp_path / "none"))
    assert "ORDERTRAIL_TEMPLATES_DIR" in one_line(nowhere)


def test_a_preview_is_files_that_open_from_a_disk(ready: Run, tmp_path: Path) -> None:
    out = tmp_path / "preview"
    asked = ("--brand", "shop", "--kind", "order_confirmation", "--language", "en", "--out", str(out))
    done = ready("templates", "preview", *asked)
    assert done.returncode == 0, done.stderr
    names = sorted(file.name for file in (out / "order_confirmation" / "en-realistic").iterdir())
    assert names == ["email-dark.html", "email-light.html", "email.txt", "push.txt", "sms.txt", "voice.xml"]
    light = (out / "order_confirmation" / "en-realistic" / "email-light.html").read_text()
    assert 'src="../../demo/lamp.png"' in light and (out / "demo" / "lamp.png").exists()
    assert "prefers-color-scheme" not in light
    assert "order_confirmation/en-realistic/sms.txt" in (out / "index.html").read_text()
    assert "brands list" in one_line(ready("templates", "preview", "--brand", "nobody", "--out", str(out)))
    wrong = ready("templates", "preview", "--brand", "shop", "--language", "xx", "--out", str(out))
    assert "--language xx" in one_line(wrong)


def test_what_is_not_there_is_said_so(ready: Run) -> None:
    assert "no order 'ord_none'" in one_line(ready("orders", "show", "ord_none"))
    assert "--brand" in one_line(ready("orders", "show", "web:1"))
    assert "no order 'web:1'" in one_line(ready("orders", "show", "web:1", "--brand", "shop"))
    assert "no dead letter 7" in one_line(ready("inbox", "replay", "7"))
    assert ready("inbox", "list").stdout.splitlines()[1:] == []


def build(
    data_dir: Path,
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    demo: bool = False,
    host: str = "127.0.0.1",
) -> embedded.Embedded:
    ports = embedded.Ports(api=8000, temporal=7233, ui=8233)
    return embedded.build(data_dir, host, ports, environment=environment, demo=demo)


def test_the_embedded_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first, again = build(tmp_path / "d"), build(tmp_path / "d")
    file = tmp_path / "d" / "secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.env["ORDERTRAIL_SECRET_KEY"] == again.env["ORDERTRAIL_SECRET_KEY"] == file.read_text()
    assert len(file.read_text()) >= 32
    assert build(tmp_path / "other").env["ORDERTRAIL_SECRET_KEY"] != file.read_text()
    assert build(tmp_path / "third", {"ORDERTRAIL_SECRET_KEY": SECRET}).env["ORDERTRAIL_SECRET_KEY"] == SECRET
    assert not (tmp_path / "third" / "secret").exists()


def test_a_demo_takes_no_providers_or_databases_from_the_environment(tmp_path: Path) -> None:
    real = {"ORDERTRAIL_SMS_PROVIDER": "twilio", "ORDERTRAIL_DATABASE_URL": "postgresql://x", "TEMPORAL_API_KEY": "k"}
    assert real.keys().isdisjoint(build(tmp_path, real, demo=True).env)
    assert build(tmp_path, real).env["ORDERTRAIL_SMS_PROVIDER"] == "twilio"
    assert "TEMPORAL_API_KEY" not in build(tmp_path, real).env


def test_the_outbox_is_open_on_loopback_only(tmp_path: Path) -> None:
    hosts = {"127.0.0.1": "true", "::1": "true", "localhost": "true", "0.0.0.0": "false", "shop.example": "false"}
    assert {host: build(tmp_path, host=host).env["ORDERTRAIL_OPS_OPEN"] for host in hosts} == hosts
    # Behind a proxy on this machine every request comes from loopback, whoever sent it.
    proxied = {"ORDERTRAIL_PUBLIC_URL": "https://orders.shop.example", "ORDERTRAIL_OPS_OPEN": "true"}
    assert build(tmp_path, proxied).env["ORDERTRAIL_OPS_OPEN"] == "false"


def test_commands_beside_an_embedded_system_find_it(run: Run, tmp_path: Path) -> None:
    embedded.leave_addresses(build(tmp_path / "data"))
    assert run("db", "upgrade").returncode == 0
    assert run("keys", "list").returncode == 0


def test_two_systems_cannot_share_a_data_directory(tmp_path: Path) -> None:
    with (
        embedded.locked(tmp_path),
        pytest.raises(OrdertrailError, match="another ordertrail runs in"),
        embedded.locked(tmp_path),
    ):
        raise AssertionError("it was not held")
