"""Email styles: written once in a stylesheet, inlined into the templates when these are loaded."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import css_inline
from jinja2 import Environment, FileSystemLoader

STYLESHEET = "messages/_layout/email.css"
_STYLED = re.compile(r"^messages/.*\.html$")
_TAG = re.compile(r"<(?P<tag>[a-z][a-z0-9]*)(?P<before>[^<>]*?)\sclass=\"(?P<names>[a-z0-9 -]+)\"(?P<after>[^<>]*)>")
_SIDE = re.compile(r"-(start|end)\b")
_STYLE = re.compile(r"\sstyle=\"([^\"]*)\"")


class StyledLoader(FileSystemLoader):
    """Loads templates; those of emails get the stylesheet's rules as `style` attributes, next to their classes.

    Inlining happens once per template and not per message. The stylesheet therefore knows classes and elements with a
    class, nothing deeper; an element's own `style` (the brand's colours) comes after its rules and wins. In the
    stylesheet `-start` and `-end` stand for the sides where a line begins and ends; `rtl` says which these are,
    because clients lack the logical properties of CSS.
    """

    def __init__(self, paths: Sequence[Path], *, rtl: bool) -> None:
        super().__init__(paths)
        self._sides = {"start": "right", "end": "left"} if rtl else {"start": "left", "end": "right"}

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, path, fresh = super().get_source(environment, template)
        if _STYLED.match(template):
            source = _TAG.sub(self._inlined, source)
        return source, path, fresh

    def _inlined(self, found: re.Match[str]) -> str:
        rest = found["before"] + found["after"]
        own = _STYLE.search(rest)
        style = ";".join(part for part in (rules_for(self._css, found["tag"], found["names"]), own and own[1]) if part)
        if not style:
            return found[0]
        closing = "/" if rest.endswith("/") else ""
        rest = _STYLE.sub("", rest).removesuffix("/")
        return f'<{found["tag"]} class="{found["names"]}"{rest} style="{style}"{closing}>'

    @cached_property
    def _css(self) -> str:
        files = (Path(folder) / STYLESHEET for folder in self.searchpath)
        text = next((file.read_text(encoding="utf-8") for file in files if file.is_file()), "")
        return _SIDE.sub(lambda side: f"-{self._sides[side[1]]}", text)


@lru_cache(maxsize=1024)
def rules_for(css: str, tag: str, names: str) -> str:
    """The declarations that this stylesheet gives one element with these classes, in the order of the cascade."""
    page = f'<html><head></head><body><{tag} class="{names}"></{tag}></body></html>'
    if tag in {"td", "th", "tr"}:
        page = f'<html><body><table><tr><{tag} class="{names}"></{tag}></tr></table></body></html>'
    if tag == "body":
        page = f'<html><head></head><body class="{names}"></body></html>'
    inlined = css_inline.inline(page, extra_css=css, load_remote_stylesheets=False)
    found = re.search(rf'<{tag} class="{names}" style="([^"]*)"', inlined)
    return found[1].strip().rstrip(";") if found else ""
