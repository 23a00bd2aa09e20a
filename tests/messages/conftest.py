"""The templates as the product ships them."""

from pathlib import Path

import pytest

from ordertrail.messages.pages import Pages
from ordertrail.messages.render import Renderer

TEMPLATES = Path(__file__).parents[2] / "templates"
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(TEMPLATES)


@pytest.fixture(scope="session")
def pages() -> Pages:
    return Pages(TEMPLATES)
