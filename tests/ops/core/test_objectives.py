"""What came too late and what failed is read from the counters that Prometheus also gets."""

from services.ops.core.objectives import OBJECTIVES, Share, failed, late

ROUTING, _, MAIL = OBJECTIVES


def histogram(name, **buckets):
    bounds = {f'{name}_bucket{{le="{le}"}}': float(n) for le, n in buckets.items()}
    return bounds | {f"{name}_count{{}}": float(buckets["inf"])}


def test_what_lies_beyond_the_bound_is_late():
    came = histogram(ROUTING.histogram, **{"5.0": 3, "10.0": 5, "30.0": 9, "inf": 9})
    assert late(came, ROUTING) == Share(4, 9)
    assert late(came, MAIL) == Share(0, 0)


def served(route, status, number):
    labels = f'http_response_status_code="{status}",http_route="{route}"'
    return {f"http_server_request_duration_seconds_count{{{labels}}}": float(number)}


def test_probes_do_not_hide_what_people_are_told():
    came = served("/v1/reports", 503, 2) | served("/v1/reports", 202, 7) | served("/readyz", 503, 90)
    assert failed(came | served("/v1/cases", 404, 1)) == {
        "/v1/cases": Share(0, 1),
        "/v1/reports": Share(2, 9),
    }


def test_a_request_whose_client_left_has_no_status_and_is_no_failure():
    assert failed({'http_server_request_duration_seconds_count{http_route="/a"}': 4.0}) == {"/a": Share(0, 4)}
