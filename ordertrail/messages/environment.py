"""Jinja environments for the product's templates: a brand's own template goes before the shared one."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from babel import Locale
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from ordertrail.messages.brand_words import own_word
from ordertrail.messages.catalogue import SOURCE, translations
from ordertrail.messages.clean import greeting_name, web_url
from ordertrail.messages.formats import phone_text
from ordertrail.messages.inlining import StyledLoader


class _Memory(BytecodeCache):
    """Compiled templates, shared by the environments of all brands of one kind of output."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        code = self._code.get(bucket.key)
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


class Environments:
    """Environments per language: a set for each brand that overrides templates, and one for all the others.

    HTML and text are apart, so that the same file of sentences is escaped in one and not in the other. Templates are
    read once: a change on disk needs a restart, as a change of code does. `own_dir` holds further overrides, as
    `<own_dir>/<brand id>/messages/...` or `/portal/...`, and goes before `templates_dir`/brands.
    """

    def __init__(self, templates_dir: Path, own_dir: Path | None = None) -> None:
        self._dir = templates_dir
        self._brand_dirs = [folder for folder in (own_dir, templates_dir / "brands") if folder]
        self._caches: dict[tuple[bool, bool], _Memory] = defaultdict(_Memory)
        self._of_brand: Callable[[str, bool, str], Environment] = lru_cache(maxsize=1024)(self._build)
        self._own: Callable[[str], str] = lru_cache(maxsize=4096)(self._overriding)

    def html(self, brand_id: str, language: str = SOURCE) -> Environment:
        """The environment that escapes everything. `language` is one of `catalogue.languages()`."""
        return self._of_brand(self._own(brand_id), True, language)

    def text(self, brand_id: str, language: str = SOURCE) -> Environment:
        """The environment for plain text: subjects, text parts, SMS, push and voice."""
        return self._of_brand(self._own(brand_id), False, language)

    def _overriding(self, brand_id: str) -> str:
        """The brand, if it has templates of its own; otherwise an empty name, whose environments all others share."""
        return brand_id if brand_id and any((folder / brand_id).is_dir() for folder in self._brand_dirs) else ""

    def _build(self, own: str, escape: bool, language: str) -> Environment:
        paths = [*(folder / own for folder in self._brand_dirs if own), self._dir]
        rtl = Locale.parse(language).text_direction == "rtl"
        env = Environment(
            loader=StyledLoader(paths, rtl=rtl) if escape else FileSystemLoader(paths),
            autoescape=escape,  # noqa: S701 - off for plain text, SMS, push and voice alone
            undefined=StrictUndefined,
            bytecode_cache=self._caches[escape, rtl],
            auto_reload=False,
            cache_size=-1,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        env.policies["ext.i18n.trimmed"] = True
        words = translations(language)
        # The extension's methods are added at run time, so no type checker knows them.
        install = getattr(env, "install_gettext_callables")  # noqa: B009
        install(words.gettext, words.ngettext, newstyle=True, pgettext=words.pgettext)
        env.globals.update(
            start="right" if rtl else "left",
            end="left" if rtl else "right",
            dir="rtl" if rtl else "ltr",
            own_word=lambda key, brand: own_word(brand, language, key),
        )
        env.filters.update(
            {"greeting_name": greeting_name, "web_url": web_url, "phone": phone_text, "name_in": _name_in}
        )
        return env


def content_hash(root: Path, folders: tuple[str, ...], start: str = "") -> str:
    """Twelve hexadecimal digits that change when any file in these folders under `root`, or `start`, does."""
    digest = hashlib.sha256(start.encode())
    for file in _files(root, folders):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _files(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in (root / folder).rglob("*") if path.is_file())


def _name_in(key: str, names: Mapping[str, str]) -> str:
    """Filter: the name of a key in a table of names, the key itself where it has none."""
    return names.get(key, key)
