"""ordertrail: every customer order as a durable workflow that tells its customer the right thing, once."""

__version__ = "0.1.0"
