"""The brand's colours as a stylesheet of its own, because the pages' content security policy allows no inline style."""

from ordertrail.domain.brand import Brand
from ordertrail.messages.colour import palette


def brand_css(brand: Brand) -> str:
    """CSS custom properties for one brand, served as `/static/brand/{brand}.css` (text/css)."""
    colours = palette(brand)
    return (
        f":root{{--brand:{colours.brand};--on-brand:{colours.on_brand};--ink:{colours.ink}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--ink:{colours.ink_dark}}}}}\n"
    )
