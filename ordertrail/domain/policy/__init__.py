"""The rules: what a customer should know now, on which channel, and what a person must take over. Pure."""
