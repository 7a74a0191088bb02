"""Egress: an outbound call connects to the address that was checked, and inner addresses are refused unless somebody said so. Servers are real ones."""

import asyncio
import datetime as dt
import gzip
import ipaddress
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from kernos import HttpService, KernosError, OpenAIModel, Reach, ToolFailed, Web
from kernos.adapters.http.addresses import METADATA, Place, carried, place_of
from kernos.adapters.http.egress import Egress, Refused, host_of
from kernos.vocabulary.outcome import AttemptFailed, FailureKind

pytestmark = pytest.mark.slow

SERVER = """
import gzip, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Inside(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            body = b""
        elif self.path == "/bomb":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            body = gzip.compress(bytes(200_000_000), 9)
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            body = " ".join(f"{name}={value}" for name, value in self.headers.items()).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Inside)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Give the port of a server of another process, on this machine."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


@asynccontextmanager
async def web(
    *places: str, answers: Sequence[Sequence[str]] = (), response_bytes_max: int = 4_000_000
) -> AsyncIterator[tuple[Web, list[str]]]:
    """Give a client, and the names that were resolved; `answers` come one after the other."""
    asked: list[str] = []
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(f"{host}:{port}")
        return left.pop(0) if len(left) > 1 else left[0]

    client = Web(
        reach=Reach(*places),
        resolve=resolve if answers else None,
        timeout_ms=5_000,
        response_bytes_max=response_bytes_max,
    )
    yield client, asked
    await client.close()


async def refusal(client: Web, url: str) -> AttemptFailed:
    with pytest.raises(ToolFailed) as caught:
        await client.get(url, call=None)
    assert caught.value.attempt.kind is FailureKind.FINAL
    return caught.value.attempt


# --- a call ---------------------------------------------------------------------------------------------------------


async def test_an_inner_address_is_refused_and_reached_once_somebody_said_so(port: int) -> None:
    url = f"http://127.0.0.1:{port}/x"
    async with web() as (client, _):
        message = (await refusal(client, url)).message
        assert f'127.0.0.1 is loopback, not public; if it is meant, allow it with Reach("127.0.0.1:{port}")' in message
    for place in (f"127.0.0.1:{port}", "127.0.0.1:*", "127.0.0.0/8"):
        async with web(place) as (client, _):
            assert (await client.get(url, call=None)).media_type == "text/plain"
    for place in (f"127.0.0.1:{port % 60_000 + 1}", f"localhost:{port}", "10.0.0.0/8", "::/0"):
        async with web(place) as (client, _):
            await refusal(client, url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "127.0.0.01", "localhost", "LOCALHOST.",
        "１２７.０.０.１", "127。0。0。1", "%31%32%37.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[2001:0:808:808:0:0:80ff:fffe]", "[fe80::1]", "[fe80::1%25lo]", "[::]", "0.0.0.0", "0",
        "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "192.168.1.1", "172.31.0.1", "100.64.0.1", "224.0.0.1", "255.255.255.255",
        "[2606:4700::5efe:127.0.0.1]", "ex ample.com", "a..b", "-a.example", "example.com@127.0.0.1", "ana:geheim@example.com", "ⓛocalhost",
    ],
)  # fmt: skip
async def test_no_spelling_of_an_inner_address_gets_through(port: int, host: str) -> None:
    async with web() as (client, _):
        message = (await refusal(client, f"http://{host}:{port}/x")).message
    assert "was not sent" in message
    assert "geheim" not in message


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1:1/_x",
        "//127.0.0.1/x",
        "http:///x",
        "http://[",
        "x",
        "",
    ],
)
async def test_only_http_and_https_go_out(url: str) -> None:
    async with web() as (client, _):
        assert "was not sent" in (await refusal(client, url)).message


async def test_a_name_that_leads_inside_is_refused_with_its_address(port: int) -> None:
    async with web(answers=[["127.0.0.1"]]) as (client, _):
        message = (await refusal(client, f"http://shop.example:{port}/x")).message
    assert (
        f'shop.example is at 127.0.0.1, which is loopback, not public; if it is meant, allow it with Reach("shop.example:{port}")'
        in message
    )


async def test_a_name_with_one_inner_address_among_public_ones_is_refused(port: int) -> None:
    async with web(answers=[["93.184.216.34", "2606:4700::1111", "127.0.0.1"]]) as (client, _):
        assert "127.0.0.1" in (await refusal(client, f"http://shop.example:{port}/x")).message


async def test_a_name_never_leads_to_metadata_even_where_it_may_lead_inside() -> None:
    for address in ("169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1"):
        async with web("shop.example:80", "169.254.0.0/16", "::/0", "0.0.0.0/0", answers=[[address]]) as (client, _):
            assert "no name may lead there" in (await refusal(client, "http://shop.example/x")).message


async def test_what_is_connected_to_is_the_address_that_was_checked_with_the_names_host(port: int) -> None:
    async with web(f"shop.example:{port}", answers=[["127.0.0.1"], ["127.0.0.2"]]) as (client, asked):
        for _ in range(3):
            page = await client.get(f"http://shop.example:{port}/x", call=None)
            assert f"Host=shop.example:{port}" in page.text
    assert asked == [f"shop.example:{port}"]  # Once: the connection is kept, and nothing asks behind the check.


async def test_a_name_that_changes_its_address_between_check_and_call_gains_nothing(port: int) -> None:
    async with web(answers=[["127.0.0.1"], ["93.184.216.34"]]) as (client, asked):
        await refusal(client, f"http://rebind.example:{port}/x")
    assert asked == [f"rebind.example:{port}"]
    async with web(f"rebind.example:{port}", answers=[["127.0.0.1"], ["169.254.169.254"]]) as (client, asked):
        assert (await client.get(f"http://rebind.example:{port}/x", call=None)).body
        await client.close()
        await refusal(client, f"http://rebind.example:{port}/x")
    assert len(asked) == 2


async def test_a_redirect_is_followed_within_its_origin_and_refused_beyond_it(port: int) -> None:
    async with web("127.0.0.1:*") as (client, _):
        assert (await client.get(f"http://127.0.0.1:{port}/to//x", call=None)).media_type == "text/plain"
        for to in (
            f"http://localhost:{port}/x",
            "http://127.0.0.1:1/x",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
        ):
            assert "is redirected to" in (await refusal(client, f"http://127.0.0.1:{port}/to/{to}")).message


async def test_a_proxy_of_the_environment_is_not_used(port: int) -> None:
    code = f"""
import asyncio
from kernos import Reach, Web
async def main():
    web = Web(reach=Reach("127.0.0.1:{port}"), timeout_ms=5_000)
    print((await web.get("http://127.0.0.1:{port}/x", call=None)).text)
    await web.close()
asyncio.run(main())
"""
    nowhere = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:1")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path)} | nowhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"Host=127.0.0.1:{port}" in done.stdout, done.stderr


async def test_nothing_of_the_run_or_the_environment_goes_out_with_a_fetch(port: int) -> None:
    async with web(f"127.0.0.1:{port}") as (client, _):
        page = await client.get(f"http://127.0.0.1:{port}/x", call=None)
    assert {pair.partition("=")[0] for pair in page.text.split(" ") if "=" in pair} == {
        "Host",
        "Accept",
        "User-Agent",
        "Accept-Encoding",
    }


async def test_a_small_answer_that_unpacks_to_a_large_one_is_cut_at_the_bound(port: int) -> None:
    assert len(gzip.compress(bytes(200_000_000), 9)) < 250_000
    async with web(f"127.0.0.1:{port}", response_bytes_max=1_000_000) as (client, _):
        assert "longer than 1000000 bytes" in (await refusal_of_size(client, f"http://127.0.0.1:{port}/bomb"))


async def refusal_of_size(client: Web, url: str) -> str:
    return (await refusal(client, url)).message


TLS = """
import asyncio, ssl, sys
from kernos import Reach, ToolFailed, Web

async def main(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
    context.sni_callback = lambda _, name, __: print("asked for", name, flush=True)

    async def answer(reader, writer):
        try:
            await reader.readuntil(b"\\r\\n\\r\\n")
        except asyncio.IncompleteReadError:
            pass
        else:
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
        writer.close()

    async def here(host, port):
        return ["127.0.0.1"]

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    web = Web(reach=Reach("127.0.0.1:*", "shop.example:*", "other.example:*"), resolve=here, timeout_ms=5_000)
    for host in ("shop.example", "other.example", "127.0.0.1"):
        try:
            print(host, (await web.get(f"https://{host}:{port}/", call=None)).text, flush=True)
        except ToolFailed as failed:
            print(host, "its certificate is not accepted" in str(failed.attempt.message), flush=True)
    await web.close()
    server.close()

asyncio.run(main(sys.argv[1]))
"""


def test_a_checked_address_is_asked_for_the_names_certificate_and_no_other(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    since = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, since, since + dt.timedelta(days=40_000))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(private)
    done = subprocess.run(
        [sys.executable, "-c", TLS, str(tmp_path)],
        env={"PYTHONPATH": ":".join(sys.path), "SSL_CERT_FILE": str(tmp_path / "cert.pem")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    expected = ["asked for shop.example", "shop.example ok", "asked for other.example", "other.example True"]
    assert done.stdout.splitlines() == [*expected, "asked for None", "127.0.0.1 True"], done.stderr


# --- services and models ---------------------------------------------------------------------------------------------


async def test_an_inner_address_that_a_service_spells_out_is_where_it_is(port: int) -> None:
    for host in ("127.0.0.1", "localhost"):
        service = HttpService(f"http://{host}:{port}", timeout_ms=5_000)
        with pytest.raises(ToolFailed, match="is no JSON"):  # It was reached.
            await service.get("/x", call=None)
        await service.close()


async def test_a_services_name_leads_inside_only_where_somebody_said_so(port: int) -> None:
    async def inside(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    closed = HttpService(f"http://shop.lan:{port}", resolve=inside)
    opened = HttpService(f"http://shop.lan:{port}", resolve=inside, reach=Reach(f"shop.lan:{port}"))
    with pytest.raises(ToolFailed, match=r"shop\.lan is at 127\.0\.0\.1"):
        await closed.get("/x", call=None)
    with pytest.raises(ToolFailed, match="is no JSON"):
        await opened.get("/x", call=None)
    for service in (closed, opened):
        await service.close()


async def test_a_name_for_this_machine_that_leads_elsewhere_is_no_exception(port: int) -> None:
    async def elsewhere(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1"]

    service = HttpService(f"http://localhost:{port}", resolve=elsewhere)
    with pytest.raises(ToolFailed, match=r"localhost is at 10\.0\.0\.1"):
        await service.get("/x", call=None)
    await service.close()


async def test_a_service_at_a_metadata_address_is_refused_though_it_is_written_out() -> None:
    service = HttpService("http://169.254.169.254")
    with pytest.raises(ToolFailed, match="metadata of a cloud"):
        await service.get("/latest", call=None)
    await service.close()


@pytest.mark.parametrize(
    "place", ["", "shop", "shop:0", "shop:99999", "shop:x", "::1:80", "10.0.0.1/8", "127.1:80", "a b:80", "10.0.0.0/99"]
)
def test_a_place_that_is_none_is_said_when_it_is_written(place: str) -> None:
    with pytest.raises(KernosError) as caught:
        Reach(place)
    assert repr(place) in str(caught.value)
    with pytest.raises(KernosError):
        OpenAIModel("http://models.lan/v1", "small", reach=[place])


# --- addresses -------------------------------------------------------------------------------------------------------

V4 = st.ip_addresses(v=4)
INNER = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "fc00::/7",
    "fec0::/10",
    "64:ff9b:1::/48",
)
SPECIAL = ("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
           "fe80::/10", "ff00::/8", "2001:db8::/32", "3fff::/20", "100::/64", "4000::/3", "5f00::/16", "3ffe::/16", "2001:10::/28")  # fmt: skip


@pytest.mark.parametrize(("networks", "place"), [(INNER, Place.INNER), (SPECIAL, Place.SPECIAL)])
@given(data=st.data())
def test_every_address_of_a_network_that_is_not_public_is_known_as_such(
    networks: tuple[str, ...], place: Place, data: st.DataObject
) -> None:
    network = data.draw(st.sampled_from(networks))
    address = ipaddress.ip_address(str(data.draw(st.ip_addresses(network=network))))
    assert place_of(address)[0] >= place


@given(V4)
def test_an_address_within_another_is_no_better_than_itself(inner: ipaddress.IPv4Address) -> None:
    number, worst = int(inner), place_of(inner)[0]
    for outer in (
        (0xFFFF << 32) | number,  # mapped
        number,  # compatible
        (0x0064_FF9B << 96) | number,  # NAT64
        (0x2002 << 112) | (number << 80) | 1,  # 6to4
        (0x2001_0000 << 96) | (number << 64) | 0x1,  # Teredo's server
        (0x2001_0000 << 96) | (0x0808_0808 << 64) | (number ^ 0xFFFF_FFFF),  # Teredo's client
        (0x2606_4700 << 96) | (0x5EFE << 32) | number,  # ISATAP
    ):
        address = ipaddress.IPv6Address(outer)
        assert place_of(address)[0] >= worst, address
        assert inner in carried(address) or number < 2, address


@given(V4 | st.ip_addresses(v=6))
def test_what_python_calls_private_is_never_public_here(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_link_local:
        is_relay = isinstance(address, ipaddress.IPv6Address) and carried(address)
        assert is_relay or place_of(address)[0] is not Place.PUBLIC, address


def test_public_addresses_are_public_and_metadata_never() -> None:
    for text in (
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "2002:808:808::1",
        "64:ff9b::808:808",
    ):
        assert place_of(ipaddress.ip_address(text))[0] is Place.PUBLIC, text
    assert {place_of(address)[0] for address in METADATA} == {Place.SPECIAL}


@given(
    st.text(max_size=30)
    | st.from_regex(r"(0x[0-9a-f]{1,8}|[0-9]{1,10})(\.(0x[0-9a-f]{1,4}|[0-9]{1,4})){0,4}\.?", fullmatch=True)
)
def test_a_host_has_one_way_to_be_written_or_is_refused(host: str) -> None:
    try:
        written = host_of(host)
    except Refused:
        return
    assert host_of(written) == written
    assert written.isascii()


@given(st.ip_addresses())
def test_no_address_is_connected_to_that_was_not_checked(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    egress = Egress(Reach("0.0.0.0/0", "::/0"))
    if place_of(address)[0] is Place.PUBLIC:
        egress.check_connection(str(address), 80)
        return
    with pytest.raises(Refused):
        egress.check_connection(str(address), 80)
    if place_of(address)[0] is Place.INNER:
        assert asyncio.run(egress.resolve(str(address), 80)) == (address,)
        egress.check_connection(str(address), 80)
        with pytest.raises(Refused):
            egress.check_connection(str(address), 81)
