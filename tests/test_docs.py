"""What the documentation claims is so."""

import json
import os
import re
from pathlib import Path

import pytest

from api.openapi import schema_of
from ordertrail.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_each_setting_stands_in_the_readme_with_its_description() -> None:
    for name, field in Settings.model_fields.items():
        row = next((line for line in README.splitlines() if line.startswith(f"| `ORDERTRAIL_{name.upper()}` |")), None)
        assert row is not None, f"ORDERTRAIL_{name.upper()} is not in the README's table"
        assert field.description, f"{name} has no description"
        assert field.description in row


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    known = {f"ORDERTRAIL_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"ORDERTRAIL_[A-Z_]+", README)) <= known


def test_links_between_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


@pytest.mark.parametrize("name", ["order", "order-event", "tracking-event"])
def test_the_kept_schemas_are_those_the_api_serves(name: str) -> None:
    kept = ROOT / "docs" / "schemas" / f"{name}.json"
    current = json.dumps(schema_of(name), indent=2) + "\n"
    if os.environ.get("ORDERTRAIL_RECORD"):
        kept.write_text(current)
    assert kept.read_text() == current, f"{kept.name} is not current: run with ORDERTRAIL_RECORD=1"
