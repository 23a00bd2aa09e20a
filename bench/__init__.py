"""What the product promises in figures, measured against a floor in the same run; `python -m bench --help`."""
