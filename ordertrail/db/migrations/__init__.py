"""Schema migrations; run by `ordertrail db upgrade`."""
