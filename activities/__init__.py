"""Thin: load, decide by a pure function, save."""

from activities.advance import AdvanceActivity
from activities.loading import Loader
from activities.saving import Saver
from activities.send import SendActivity

__all__ = ["AdvanceActivity", "Loader", "Saver", "SendActivity"]
