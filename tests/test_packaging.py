"""What leaves the repository: the wheel holds what it must, the locks are complete, the composition is valid."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("ordertrail", "workflows", "activities", "api")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in the wheel, built from the files that belong to the project."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (file,) = out.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def sources(package: str, pattern: str) -> set[str]:
    files = (ROOT / package).rglob(pattern)
    return {str(file.relative_to(ROOT)) for file in files if file.is_file() and "__pycache__" not in file.parts}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_holds_every_module(wheel: set[str], package: str) -> None:
    assert sources(package, "*.py") - wheel == set()
    assert f"{package}/__init__.py" in wheel


def test_the_wheel_holds_templates_migrations_and_demo(wheel: set[str]) -> None:
    assert sources("templates", "*") - wheel == set()
    assert any(name.startswith("templates/messages/") for name in wheel)
    assert any(re.fullmatch(r"ordertrail/db/migrations/versions/0001_\w+\.py", name) for name in wheel)
    assert {"worker.py", "ordertrail/db/migrations/script.py.mako", "ordertrail/cli/demo/brands.yaml"} <= wheel


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel if ".dist-info/" not in name}
    assert tops == {*PACKAGES, "templates", "worker.py"}


def locked(name: str) -> dict[str, str]:
    """Each package of a lock with its block of text."""
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text())
    return {re.split(r"[=\[ ;]", block)[0]: block for block in blocks}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-runtime.lock"])
def test_the_lock_pins_every_package_by_hash_and_names_no_place(name: str) -> None:
    for package, block in locked(name).items():
        assert re.match(r"[a-z0-9.-]+==[^\s;]+", block), package
        assert "--hash=sha256:" in block, package
    assert re.search(r"://|index-url|find-links|trusted-host", (ROOT / name).read_text()) is None


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=;, ]", each)[0].lower() for each in requirements}


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime, everything = locked("requirements-runtime.lock"), locked("requirements.lock")
    assert names_of(project["dependencies"]) - runtime.keys() == set()
    assert names_of(project["optional-dependencies"]["dev"]) - everything.keys() == set()
    pins = {name: block.split(" ")[0] for name, block in everything.items()}
    differing = {name for name, block in runtime.items() if block.split(" ")[0] != pins.get(name)}
    assert differing == set(), "the image must run what the suite ran with"


REQUIRED = {
    "ORDERTRAIL_SECRET_KEY": "a-secret-for-tests-only-0123456789abcdef",
    "ORDERTRAIL_PUBLIC_URL": "https://orders.example",
    "POSTGRES_PASSWORD": "only-for-this-test",
}


def compose_config(tmp_path: Path, settings: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Ask Docker Compose what it thinks of the composition with these settings only."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed")
    env_file = tmp_path / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return subprocess.run(
        [program, "-f", str(ROOT / "docker-compose.yml"), "--env-file", str(env_file), "config"],
        env={"PATH": str(Path(program).parent) + ":/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_composition_is_valid(tmp_path: Path) -> None:
    result = compose_config(tmp_path, REQUIRED)
    assert result.returncode == 0, result.stderr
    for service in ("postgres", "temporal", "temporal-ui", "migrations", "api", "worker", "mailpit"):
        assert f"\n  {service}:\n" in result.stdout


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_the_composition_has_no_default_secret(tmp_path: Path, missing: str) -> None:
    result = compose_config(tmp_path, {name: value for name, value in REQUIRED.items() if name != missing})
    assert result.returncode != 0
    assert "set it in .env" in result.stderr


def test_the_example_settings_name_all_that_is_required_and_hold_no_value() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(REQUIRED) <= pairs.keys()
    assert set(pairs.values()) == {""}
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert used == pairs.keys(), "each variable of the composition stands in the example"
