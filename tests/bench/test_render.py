"""The floor of rendering is the product's layout without the words of any message."""

import pytest

from bench import render
from ordertrail.domain.vocabulary import Channel


@pytest.mark.parametrize("channel", Channel)
def test_the_floor_has_the_layout_and_no_words(channel: Channel) -> None:
    product, floor = next(iter(render.messages(channel)))
    made, empty = str(product()), str(floor())
    assert "CV-1042" in made
    assert ("Casa Verde" in empty) is (channel is not Channel.VOICE)
    assert "Table lamp" not in empty


def test_the_floor_of_a_page_is_its_frame() -> None:
    product, floor = next(iter(render.pages()))
    assert "Table lamp Alba" in str(product())
    assert "</html>" in str(floor()) and "Table lamp Alba" not in str(floor())


def test_both_are_timed_as_often() -> None:
    times = render.timed([(lambda: sum(range(50)), lambda: None)] * 3, rounds=2)
    assert len(times.product) == len(times.floor) == 6
    assert min(times.product) > 0
