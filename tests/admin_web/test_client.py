import ipaddress

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from admin_web.client import client_of, device_of, is_local
from admin_web.keys import SETTINGS


@pytest.fixture
def ask(settings):
    def make(peer, trusted=("10.0.0.0/8",), **headers):
        app = web.Application()
        networks = tuple(ipaddress.ip_network(network) for network in trusted)
        app[SETTINGS] = settings.model_copy(update={"trusted_proxies": networks})
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return make_mocked_request("GET", "/", headers=sent, app=app).clone(remote=peer)

    return make


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.1", None, "203.0.113.1"),
        ("203.0.113.1", "198.51.100.7", "203.0.113.1"),  # anybody may send the header
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),  # what stands left may be made up
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
    ],
)
def test_the_address_is_what_the_outermost_trusted_proxy_saw(ask, peer, forwarded, address):
    headers = {"X_Forwarded_For": forwarded} if forwarded else {}
    assert client_of(ask(peer, **headers)).address == address


def test_the_scheme_is_believed_only_from_a_trusted_proxy(ask):
    assert client_of(ask("10.0.0.1", X_Forwarded_Proto="https")).is_secure
    assert not client_of(ask("203.0.113.1", X_Forwarded_Proto="https")).is_secure


def test_local_is_this_machine_or_a_trusted_address_itself(ask):
    assert is_local(ask("127.0.0.1"))
    assert is_local(ask("::1"))
    assert is_local(ask("::ffff:127.0.0.1"))
    assert is_local(ask("10.0.0.9"))
    assert not is_local(ask("203.0.113.1"))
    assert not is_local(ask("127.0.0.1", X_Forwarded_For="203.0.113.1"))


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1", "Safari, iPhone"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox, Linux"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_device_is_named_as_people_name_it(agent, device):
    assert device_of(agent) == device
