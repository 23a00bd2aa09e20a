"""A figure is judged by its target, and the file keeps the newest of each."""

import json
from pathlib import Path

import pytest

from bench.figures import compared, keep, limited, percentile, shown
from bench.life import BRAND_DOCUMENT, MILESTONES, Life, Milestone, order, report
from ordertrail.domain.brand import Brand
from ordertrail.domain.events import AnyOrderEvent, TrackingEvent
from ordertrail.domain.order import CanonicalOrder


def test_a_ratio_at_its_limit_is_met_and_beyond_it_is_not() -> None:
    assert compared("x", 22, 10, "ms", most=2.2).met is True
    assert compared("x", 23, 10, "ms", most=2.2).met is False
    assert compared("x", 4, 10, "orders/s", least=0.4).met is True
    assert compared("x", 3, 10, "orders/s", least=0.4).met is False


def test_a_figure_that_only_explains_is_not_judged() -> None:
    assert shown("x", 3, "s", 2).met is None
    assert limited("x", 101, "ms", most=100).met is False


def test_a_percentile_of_nothing_is_an_error() -> None:
    assert percentile(list(range(100)), 0.99) == 99
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


def test_the_file_keeps_the_newest_of_each_figure(tmp_path: Path) -> None:
    path = tmp_path / "latest.json"
    keep([shown("a", 1, "s"), shown("b", 2, "s")], quick=False, path=path)
    keep([shown("a", 3, "s")], quick=True, path=path)
    kept = {figure["name"]: figure for figure in json.loads(path.read_text())["figures"]}
    assert (kept["a"]["value"], kept["a"]["quick"]) == (3, True)
    assert (kept["b"]["value"], kept["b"]["quick"]) == (2, False)


def test_the_life_that_is_measured_is_one_the_product_takes() -> None:
    Brand.model_validate(dict(BRAND_DOCUMENT))
    for number in range(3):
        life = Life(number=number, series="o-test")
        CanonicalOrder.model_validate_json(json.dumps(order(life)))
        for milestone in MILESTONES[1:]:
            path, body = report(life, milestone)
            taken = TrackingEvent.model_validate if path == "/v1/tracking-events" else AnyOrderEvent.validate_python
            taken(body)


def test_an_order_has_eight_sends_on_average() -> None:
    lives = [Life(number=number, series="o-test") for number in range(12)]
    assert sum(len(life.sends(milestone)) for life in lives for milestone in Milestone) / len(lives) == 8
