"""A trace is laid out so that a person sees where the time went."""

from services.ops.core.waterfall import waterfall


def span(name, parent="", started=0, ended=10):
    return {"span_id": name, "parent_id": parent, "started": started * 10**6, "ended": ended * 10**6}


def test_parents_come_before_their_children_and_siblings_in_time():
    bars = waterfall([span("c", "a", 5, 9), span("b", "a", 1, 4), span("a"), span("d", "c", 6, 8)])
    assert [(bar.span["span_id"], bar.depth) for bar in bars] == [("a", 0), ("b", 1), ("c", 1), ("d", 2)]


def test_what_no_child_explains_is_the_spans_own_time():
    bars = waterfall([span("a"), span("b", "a", 1, 4), span("c", "a", 3, 6)])
    assert bars[0].alone_ms == 5.0  # ten, less the five in which b or c ran


def test_a_span_whose_parent_is_elsewhere_is_shown_as_a_root():
    bars = waterfall([span("b", "gone", 2, 4)])
    assert [(bar.depth, bar.left, bar.width) for bar in bars] == [(0, 0.0, 100.0)]


def test_a_cycle_of_parents_ends():
    assert waterfall([span("a", "b"), span("b", "a")]) == []


def test_no_spans_make_no_bars():
    assert waterfall([]) == []
