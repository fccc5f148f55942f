from awsbatch_sandbox.timeline import Moment, drawn


def test_each_moment_has_its_time_and_the_time_since_the_one_before_as_a_bar():
    moments = [Moment(2.0, "applied"), Moment(3.0, "launched"), Moment(6.0, "gone")]
    assert drawn(moments, columns=8) == [
        "    0.0 s            │        │  applied",
        "    1.0 s  +  1.0 s  │━━      │  launched",
        "    4.0 s  +  3.0 s  │  ━━━━━━│  gone",
    ]


def test_what_happens_at_once_and_what_has_not_happened_have_a_picture_too():
    assert drawn([]) == []
    [first, second] = drawn([Moment(1.0, "this"), Moment(1.0, "that")], columns=2)
    assert first == "    0.0 s            │  │  this"
    assert second == "    0.0 s  +  0.0 s  │  │  that"
