"""The demonstration: orders placed through the public API, their events played, their messages checked."""
