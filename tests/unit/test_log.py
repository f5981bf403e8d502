"""What the server's own loggers write."""

import io
import logging

from ui.server.log import OneLine


def test_an_error_is_one_line_with_its_kind_and_place_and_without_its_own_words() -> None:
    logger, written = logging.Logger("streamlit.a_test"), io.StringIO()
    logger.addHandler(logging.StreamHandler(written))
    logger.addFilter(OneLine())

    def fails() -> None:
        raise ValueError("Ann's essay\nFORGED \x1b[31m")

    for _ in range(30):
        try:
            fails()
        except ValueError:
            logger.exception("Uncaught app execution\nof a page", stack_info=True)
    lines = written.getvalue().splitlines()
    assert len(lines) == 10  # a minute
    assert lines[0].startswith("Uncaught app execution␊of a page: ValueError at test_log.py:")
    assert "fails" in lines[0]
    assert "essay" not in lines[0]
