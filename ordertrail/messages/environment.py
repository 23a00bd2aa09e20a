"""Jinja environments for the product's templates: a brand's own template goes before the shared one."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from ordertrail.messages.clean import greeting_name, web_url
from ordertrail.messages.formats import phone_text


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
    """One pair of environments per brand that overrides templates, and one pair for all others.

    HTML and text are apart, so that the same file of sentences is escaped in one and not in the other. Templates are
    read once: a change on disk needs a restart, as a change of code does.
    """

    def __init__(self, templates_dir: Path) -> None:
        self._dir = templates_dir
        self._caches = {True: _Memory(), False: _Memory()}
        self._of_brand: Callable[[str, bool], Environment] = lru_cache(maxsize=512)(self._build)

    def html(self, brand_id: str) -> Environment:
        """The environment that escapes everything."""
        return self._of_brand(self._own(brand_id), True)

    def text(self, brand_id: str) -> Environment:
        """The environment for plain text and SMS."""
        return self._of_brand(self._own(brand_id), False)

    def _own(self, brand_id: str) -> str:
        return brand_id if brand_id and (self._dir / "brands" / brand_id).is_dir() else ""

    def _build(self, own: str, escape: bool) -> Environment:
        paths = [self._dir / "brands" / own, self._dir] if own else [self._dir]
        env = Environment(
            loader=FileSystemLoader(paths),
            autoescape=escape,  # noqa: S701 - off for plain text and SMS alone
            undefined=StrictUndefined,
            bytecode_cache=self._caches[escape],
            auto_reload=False,
            cache_size=-1,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        env.policies["ext.i18n.trimmed"] = True
        # The extension's methods are added at run time, so no type checker knows them.
        install = getattr(env, "install_gettext_callables")  # noqa: B009
        install(_same, _plural, newstyle=True)
        env.filters.update(
            {"greeting_name": greeting_name, "web_url": web_url, "phone": phone_text, "name_in": _name_in}
        )
        return env


def content_hash(root: Path, folders: tuple[str, ...]) -> str:
    """Twelve hexadecimal digits that change when any file in these folders under `root` does."""
    digest = hashlib.sha256()
    for file in _files(root, folders):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _files(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in (root / folder).rglob("*") if path.is_file())


def _name_in(key: str, names: Mapping[str, str]) -> str:
    """Filter: the name of a key in a table of names, the key itself where it has none."""
    return names.get(key, key)


def _same(message: str) -> str:
    return message


def _plural(one: str, many: str, count: int) -> str:
    return one if count == 1 else many
