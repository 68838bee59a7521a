import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.errors import Invalid
from loyalty.webhooks.rules import (
    PAUSES,
    Event,
    Trouble,
    clean_url,
    endpoint_secret,
    may_call,
    outcome_of,
    retry_at,
    signature,
    signing_key,
)

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
INSIDE = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "::7f00:1",
    "2002:7f00:1::",
)
NOWHERE = (
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "::ffff:169.254.169.254",
    "fec0::1",
    "64:ff9b:1::1",
)


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_called_only_when_that_is_allowed(address):
    assert not may_call(address, allow_local=False)


@pytest.mark.parametrize("address", [one for one in INSIDE if one != "100.64.0.1"])
def test_what_is_inside_may_be_allowed(address):
    assert may_call(address, allow_local=True)


@pytest.mark.parametrize("address", NOWHERE)
def test_link_local_and_meaningless_addresses_are_never_called(address):
    assert not may_call(address, allow_local=True)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_the_internet_may_be_called(address):
    assert may_call(address, allow_local=False)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "required"),
        ("shop.example.com/hook", "not_a_url"),
        ("ftp://shop.example.com", "not_a_url"),
        ("https://", "not_a_url"),
        ("https://shop.example.com:99999/", "not_a_url"),
        ("https://user:word@shop.example.com/", "not_a_url"),
        ("https://shop.example.com/#part", "not_a_url"),
        ("https://shop.example.com/a b", "not_a_url"),
        ("http://shop.example.com/hook", "must_be_https"),
        ("http://10.0.0.1/hook", "must_be_https"),
        ("http://127.0.0.1:8080/hook", "address_is_inside"),
        ("https://localhost/hook", "address_is_inside"),
        ("https://[::1]/hook", "address_is_inside"),
        ("https://169.254.169.254/latest", "address_is_inside"),
        ("https://shop.example.com/" + "a" * 500, "too_long"),
    ],
)
def test_an_address_that_will_not_do_is_refused_with_its_reason(url, reason):
    with pytest.raises(Invalid) as refused:
        clean_url(url, allow_local=False)
    assert (refused.value.field, refused.value.reason) == ("url", reason)


def test_plain_http_goes_only_to_this_machine_and_only_when_allowed():
    assert clean_url(" http://127.0.0.1:8080/hook ", allow_local=True) == "http://127.0.0.1:8080/hook"
    assert clean_url("http://localhost/hook", allow_local=True) == "http://localhost/hook"
    with pytest.raises(Invalid):
        clean_url("http://192.168.1.1/hook", allow_local=True)


def test_the_signature_is_what_the_guide_says():
    body = Event("ab", "customer.created", NOW, {"customer_id": 7}).body()
    expected = hmac.new(b"whsec_x", b"1773133200." + body, hashlib.sha256).hexdigest()
    assert signature("whsec_x", NOW, body) == f"t=1773133200,v1={expected}"


def test_a_body_is_the_same_bytes_each_time():
    event = Event("ab", "customer.created", NOW, {"customer_id": 7})
    assert event.body() == (
        b'{"id":"evt_ab","type":"customer.created","created_at":"2026-03-10T09:00:00Z","data":{"customer_id":7}}'
    )


def test_secrets_differ_by_endpoint_salt_and_installation():
    keys = [signing_key("one installation's secret"), signing_key("another installation's secret")]
    secrets = {endpoint_secret(key, number, salt) for key in keys for number in (1, 2) for salt in ("a", "b")}
    assert len(secrets) == 8
    assert {len(secret) for secret in secrets} == {len("whsec_") + 64}


def test_pauses_grow_within_a_tenth_and_end():
    for attempts, pause in enumerate(PAUSES, start=1):
        waits = {(retry_at(number, attempts, NOW) or NOW) - NOW for number in range(1, 50)}
        assert len(waits) > 20
        assert pause * 0.9 <= min(waits) <= max(waits) <= pause * 1.1
    assert retry_at(1, len(PAUSES) + 1, NOW) is None
    assert retry_at(1, 1, NOW) == retry_at(1, 1, NOW)
    assert sum(PAUSES, timedelta()) > timedelta(hours=32)


def test_only_a_status_from_200_to_299_is_done():
    assert [outcome_of(status).trouble for status in (200, 204, 299)] == [None] * 3
    assert outcome_of(302).trouble is Trouble.REDIRECT
    assert [outcome_of(status).trouble for status in (199, 400, 404, 410, 500)] == [Trouble.STATUS] * 5
