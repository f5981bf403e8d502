"""A frame held against its declared columns."""

import pandas as pd

from data.records.frames import DAY, Schema


def check(frame: pd.DataFrame, schema: Schema) -> None:
    """The same columns in the same order, each of its dtype, and unknown only where that may be."""
    assert list(frame.columns) == list(schema)
    for name, column in schema.items():
        dtype = str(frame[name].dtype)
        assert dtype.startswith(DAY) if column.dtype == DAY else dtype == column.dtype, f"{name} is {dtype}"
        assert column.nullable or not frame[name].isna().any(), f"{name} is unknown"
        if dtype == "object":
            # NaN in a column of texts would be a number.
            assert all(isinstance(value, str | tuple | None) for value in frame[name]), name
