"""Messages that say where, what was expected, what was found and what to do."""

from bnnkg.errors import SourceError

ERROR = SourceError(
    "this is no model", where="a.nml:3", expected="a cell", found="two\n  lines", hint="mend it"
)


def test_a_message_has_a_line_for_each_part():
    assert ERROR.message().startswith("a.nml:3: this is no model\n  expected: a cell\n  found: two")
    assert ERROR.message().endswith("\n  to do: mend it")


def test_a_line_keeps_the_parts_apart():
    assert ERROR.line() == (
        "a.nml:3: this is no model; expected: a cell; found: two lines; to do: mend it"
    )
    assert SourceError("this is no model").line() == "this is no model"
