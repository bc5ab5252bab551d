"""Progress as plain lines and as a bar."""

import io

from ernn.progress import Lines, _duration, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_come_now_and_then_with_rate_and_time_left():
    now, stream = [0.0], io.StringIO()
    report = Lines("train", stream, lambda: now[0])
    for done in range(0, 101, 10):
        report(done, 200)
        now[0] += 4.0
    lines = stream.getvalue().splitlines()
    assert lines[0] == "train: 30 of 200 (15 %), 2.5/s, 68 s left"
    assert len(lines) == 3


def test_a_continued_job_does_not_count_the_part_that_was_done_before():
    now, stream = [0.0], io.StringIO()
    report = Lines("train", stream, lambda: now[0])
    report(1000, 2000)
    now[0] = 100.0
    report(1100, 2000)
    assert "1/s, 15 min left" in stream.getvalue()


def test_nothing_to_do_does_not_divide_by_zero():
    now, stream = [0.0], io.StringIO()
    report = Lines("train", stream, lambda: now[0])
    now[0] = 20.0
    report(0, 0)
    assert stream.getvalue() == "train: 0 of 0 (0 %)\n"


def test_a_terminal_gets_a_bar():
    stream = Terminal()
    with progress("train", stream) as report:
        report(1, 2)
        report(2, 2)
    assert "train" in stream.getvalue()
    assert "2/2" in stream.getvalue()


def test_a_log_gets_lines():
    stream = io.StringIO()
    with progress("train", stream) as report:
        report(1, 2)
    assert stream.getvalue() == ""


def test_durations():
    assert [_duration(s) for s in (0.4, 89, 600, 7200)] == ["0 s", "89 s", "10 min", "2.0 h"]
