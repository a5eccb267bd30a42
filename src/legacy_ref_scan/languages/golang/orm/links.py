"""Links of a chain that no call in the source is: what the scan knows besides of the statement that a chain means."""

from __future__ import annotations

UNKNOWN_START = "?"
"""The link that stands for the part of a chain that was made elsewhere."""
MODEL_TABLE = "<table of the model>"
"""Made up from the type of a model: its table, where no other is named."""
JOINED = "<joined association>"
"""Made up from the name of an association: its table and the alias that the library gives it."""
WHOLE_ROWS = "<rows into maps>"
"""Made up from what the rows are read into: a map takes every column that there is."""
UNSEEN_COLUMNS = "columns of a query builder"
"""The reason of a hole for the columns that a builder brings along from a place not seen here."""
