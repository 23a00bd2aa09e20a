"""Money, dates, SMS and colours: the small rules beneath the templates."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.brand import Support
from ordertrail.domain.carrier_names import carrier_name
from ordertrail.domain.promise import DatePromise, WindowPromise
from ordertrail.messages.brand_css import brand_css
from ordertrail.messages.clean import clean_text, web_url
from ordertrail.messages.colour import contrast, palette
from ordertrail.messages.context import template_context
from ordertrail.messages.formats import Formatter
from ordertrail.messages.sms import fit, is_gsm, segments
from tests.messages.facts import CASA_VERDE, FORNO, K, facts

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LINK = "https://o.example/t/abcdef"


@pytest.mark.parametrize(
    ("tag", "day", "money"),
    [
        ("en", "Tuesday 24 November", "€1,234.50"),
        ("en-US", "Tuesday, November 24", "€1,234.50"),
        ("de-AT", "Dienstag, 24. November", "€ 1.234,50"),
        ("ja", "11月24日(火曜日)", "€1,234.50"),
        ("nonsense", "Tuesday 24 November", "€1,234.50"),
    ],
)
def test_one_language_per_message(tag: str, day: str, money: str) -> None:
    fmt = Formatter.of(tag, "Europe/Madrid", NOW)
    assert fmt.promise(DatePromise(on=date(2026, 11, 24), zone="Europe/Madrid")) == day
    assert fmt.money(Decimal("1234.5"), "EUR") == money


def test_currencies_have_their_own_decimals() -> None:
    fmt = Formatter.of("en", "UTC", NOW)
    assert fmt.money(Decimal(1500), "JPY") == "JP¥1,500"
    assert fmt.quantity(Decimal("2.000")) == "2" and fmt.quantity(Decimal(100)) == "100"


@pytest.mark.parametrize(
    ("tag", "zone", "shown"),
    [
        ("en", "Europe/Madrid", "Tuesday 24 November, 12:00–12:30 (CET)"),
        ("en-US", "America/New_York", "Tuesday, November 24, 6:00 – 6:30 AM (EST)"),
        ("en", "America/Sao_Paulo", "Tuesday 24 November, 08:00–08:30 (GMT-3)"),
    ],
)
def test_a_window_is_shown_in_its_own_zone(tag: str, zone: str, shown: str) -> None:
    window = WindowPromise(
        starts_at=datetime(2026, 11, 24, 11, 0, tzinfo=UTC),
        ends_at=datetime(2026, 11, 24, 11, 30, tzinfo=UTC),
        zone=zone,
    )
    assert Formatter.of(tag, "UTC", NOW).promise(window) == shown


def test_a_window_over_midnight_and_a_far_date_are_clear() -> None:
    fmt = Formatter.of("en", "UTC", NOW)
    night = WindowPromise(
        starts_at=datetime(2026, 11, 24, 23, 30, tzinfo=UTC),
        ends_at=datetime(2026, 11, 25, 0, 30, tzinfo=UTC),
        zone="UTC",
    )
    assert fmt.promise(night) == "Tuesday 24 November, 23:30 – Wednesday 25 November, 00:30 (UTC)"
    assert fmt.day(date(2027, 11, 24)) == "Wednesday, 24 November 2027"


def test_summer_time_is_the_readers() -> None:
    fmt = Formatter.of("en", "Europe/Madrid", NOW)
    assert fmt.moment(datetime(2026, 7, 1, 12, 0, tzinfo=UTC)).endswith("14:00 (CEST)")


def test_support_hours_are_grouped() -> None:
    assert Formatter.of("en", "UTC", NOW).weekdays(Support().hours) == "Monday–Friday 09:00–18:00"
    assert Formatter.of("en", "UTC", NOW).weekdays(()) == ""


def test_segments_are_counted_as_networks_bill_them() -> None:
    assert [segments("a" * 160), segments("a" * 161), segments("a" * 306), segments("a" * 307)] == [1, 2, 2, 3]
    assert [segments("€" * 80), segments("€" * 81)] == [1, 2]
    assert [segments("ж" * 70), segments("ж" * 71), segments("😀" * 35)] == [1, 2, 1]


@given(st.lists(st.text(max_size=400), min_size=1, max_size=6))
def test_whatever_is_said_fits_and_keeps_its_link(sentences: list[str]) -> None:
    text = fit(["Shop: " + sentences[0], *sentences[1:]], LINK)
    assert segments(text) <= 2 and text.endswith(LINK)


def test_accents_outside_gsm_are_made_plain() -> None:
    text = fit(["Málaga – “Żółw” … ñ €5"], LINK)
    assert is_gsm(text) and text.startswith('Malaga - "Zolw" ... ñ €5')


def test_a_link_too_long_for_two_segments_is_left_out() -> None:
    assert fit(["Shop: news"], "https://x.example/" + "a" * 400) == "Shop: news"


def test_cleaning_keeps_words_and_drops_tricks() -> None:
    assert clean_text(" a\r\nb\u202e\u200b\x00\ufeffc\u2028d ") == "a, bc, d"
    assert clean_text("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize(
    "bad", ["javascript:alert(1)", "ftp://x", "//x", "https://a b", 'https://x"onclick=', None, ""]
)
def test_only_web_addresses_become_links(bad: object) -> None:
    assert web_url(bad) == ""
    assert web_url("https://track.example/1?a=b&c=d") == "https://track.example/1?a=b&c=d"


@pytest.mark.parametrize("colour", ["#ffffff", "#000000", "#f2b705", "#808080", "#1d6b4f"])
def test_brand_colours_stay_readable(colour: str) -> None:
    brand = FORNO.model_copy(update={"colour": colour, "colour_text": "#ffffff"})
    colours = palette(brand)
    assert contrast(colours.brand, colours.on_brand) >= 4.5
    assert contrast(colours.ink, "#ffffff") >= 4.5
    assert contrast(colours.ink_dark, "#161a1f") >= 4.5


def test_the_brands_stylesheet_sets_its_colours() -> None:
    assert "--brand:#1d6b4f" in brand_css(CASA_VERDE)


def test_carriers_are_named_as_customers_know_them() -> None:
    assert [carrier_name(slug) for slug in ("dhl-express", "night_owl", "own-fleet", None)] == [
        "DHL Express", "Night Owl", None, None,
    ]  # fmt: skip


def test_names_and_numbers_stay_whole_in_a_right_to_left_sentence() -> None:
    fmt = Formatter(locale=Locale.parse("ar"), zone=ZoneInfo("UTC"), today=NOW.date())
    seen = template_context(CASA_VERDE, facts(K.SHIPPED), fmt)
    assert seen["v"]["order"] == "\u2068CV-1042\u2069"
    assert "\u2068+34\u00a0912" in seen["v"]["contact"]
    assert seen["carrier"] == "\u2068DHL Express\u2069" and seen["parcel"].tracking_number[0] == "\u2068"
    assert seen["page_url"] == facts(K.SHIPPED).page_url and seen["facts"].lines[0].sku == "LAMP-1"
    assert "\u2068" not in str(seen["json_ld"])
    assert template_context(CASA_VERDE, facts(K.SHIPPED), Formatter.of("en", "UTC", NOW))["v"]["order"] == "CV-1042"


@pytest.mark.parametrize(
    ("tag", "listed", "either"),
    [("en", "a, b", "a or b"), ("de", "a, b", "a oder b"), ("ja", "a、b", "a または b"), ("ar", "a، b", "a أو b")],
)
def test_lists_are_joined_as_the_language_does(tag: str, listed: str, either: str) -> None:
    fmt = Formatter(locale=Locale.parse(tag), zone=ZoneInfo("UTC"), today=NOW.date())
    assert (fmt.listed(["a", "", None, "b"]), fmt.either(["a", "b"])) == (listed, either)
    assert fmt.listed([]) == ""


@pytest.mark.parametrize(
    ("tag", "zone", "name"),
    [("en", "Europe/Madrid", "CET"), ("de", "Europe/Madrid", "MEZ"), ("en-US", "America/New_York", "EST"),
     ("fr", "America/Sao_Paulo", "UTC-3"), ("es", "Asia/Kolkata", "IST"), ("en", "Asia/Kathmandu", "GMT+5:45")],
)  # fmt: skip
def test_zones_have_the_name_readers_know(tag: str, zone: str, name: str) -> None:
    fmt = Formatter(locale=Locale.parse(tag.replace("-", "_")), zone=ZoneInfo(zone), today=NOW.date())
    assert fmt.zone_name(NOW) == name
