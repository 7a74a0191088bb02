"""Secrets are references: read by the tool that declares them, when it needs them, and told nowhere."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import BaseModel

from kernos import CallFailed, Context, Failed, Found, Kernel, Retry, Secret, ToolCall, ToolFailed, agent, tool
from kernos.vocabulary.errors import BadConfiguration, BadDeclaration, RunDidNotComplete

CANARY = "sk/quetzal+7f3a"
SPELLED = (b64encode(CANARY.encode()).decode().rstrip("="), quote(CANARY, safe=""))
ALL = "permit(principal, action, resource);"
TOKEN, OTHER = Secret("env:KERNOS_TEST_TOKEN"), Secret("env:KERNOS_TEST_OTHER")
SEEN: list[str] = []


class Ask(BaseModel):
    how: str = "plain"


class Told(BaseModel):
    text: str
    parts: list[str] = []


@tool("shop.ask", effect="read", retry=Retry(attempts=1), secrets=["env:KERNOS_TEST_TOKEN"])
async def ask(asked: Ask, call: ToolCall) -> Told:
    """Ask with a token, and answer with it, as a service might."""
    secret = (OTHER if asked.how == "other" else TOKEN).read()
    SEEN.append(secret)
    if asked.how == "fail":
        raise ToolFailed.final(f"401: the token {secret} is not known here")
    if asked.how == "crash":
        raise ValueError(f"Authorization: Bearer {secret}")
    spelled = b64encode(secret.encode()).decode()
    return Told(
        text=f"you are x{secret}x", parts=[secret, f"https://x.example/?t={quote(secret, safe='')}", f"Basic {spelled}"]
    )


@tool("shop.pay", effect="verifiable", secrets=["env:KERNOS_TEST_TOKEN"], look_up=lambda asked, call: Found(done=True, evidence=f"seen with {TOKEN.read()}", result=Told(text="ok")))  # fmt: skip
def pay(asked: Ask, call: ToolCall) -> Told:
    """Lose the answer; a thread reads the token."""
    SEEN.append(TOKEN.read())
    raise ToolFailed.unknown(f"no answer to {TOKEN.read()}")


@agent("desk", tools=[ask, pay], failures=["refused"])
async def desk(ctx: Context, how: str) -> Told:
    if how == "agent":
        return Told(text=TOKEN.read())
    try:
        return await ctx.call(pay if how == "pay" else ask, Ask(how=how))
    except CallFailed as error:
        raise Failed("refused", str(error)) from error


@pytest.fixture(autouse=True)
def _token() -> Iterator[None]:
    SEEN.clear()
    os.environ["KERNOS_TEST_TOKEN"], os.environ["KERNOS_TEST_OTHER"] = CANARY, f"other-{CANARY}"
    yield
    del os.environ["KERNOS_TEST_TOKEN"], os.environ["KERNOS_TEST_OTHER"]


async def ended(store: Path, how: str) -> str:
    """Run it; return its output or how it failed, once the canary was looked for in every file."""
    async with Kernel(store, agents=[desk], policies=ALL) as kernel:
        run = await kernel.start(desk, how)
        try:
            found = (await run.result()).text
        except RunDidNotComplete as failed:
            found = str(failed)
        told = [repr(event) async for event in run.events()]
    for path in store.parent.rglob("*"):
        for form in (CANARY, *SPELLED):
            assert not path.is_file() or form.encode() not in path.read_bytes(), path
            assert form not in "".join(told) + found
    return found


async def test_a_tool_reads_what_it_declares_and_what_it_tells_of_it_is_the_reference(store: Path) -> None:
    assert await ended(store, "plain") == "you are x[secret env:KERNOS_TEST_TOKEN]x"
    assert SEEN == [CANARY]


@pytest.mark.parametrize("how", ["fail", "crash"])
async def test_a_failure_tells_no_secret(store: Path, how: str) -> None:
    assert "[secret env:KERNOS_TEST_TOKEN]" in await ended(store, how)


async def test_a_look_up_tells_no_secret_and_a_thread_reads_one(store: Path) -> None:
    assert await ended(store, "pay") == "ok"
    assert SEEN == [CANARY]


async def test_a_tool_reads_no_secret_that_it_does_not_declare(store: Path) -> None:
    assert "tool shop.ask does not declare the secret env:KERNOS_TEST_OTHER" in await ended(store, "other")
    assert SEEN == []


async def test_an_agents_own_code_reads_none(store: Path) -> None:
    assert "the code of agent desk does not declare the secret env:KERNOS_TEST_TOKEN" in await ended(store, "agent")


async def test_a_changed_secret_counts_at_the_next_call_and_a_missing_one_is_said(store: Path, tmp_path: Path) -> None:
    await ended(store, "plain")
    os.environ["KERNOS_TEST_TOKEN"] = f"{CANARY}-new"
    await ended(store.with_name("other"), "plain")
    assert [CANARY, f"{CANARY}-new"] == SEEN
    os.environ["KERNOS_TEST_TOKEN"] = ""
    assert "set the environment variable KERNOS_TEST_TOKEN" in await ended(store.with_name("third"), "plain")


# --- where they lie -----------------------------------------------------------------------------------------------------


def test_a_file_that_others_may_read_is_no_place_for_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "token"
    secret = Secret(f"file:{path}")
    assert "could not be read: No such file" in secret.trouble()
    path.write_text("one\n")
    for mode in (0o644, 0o640, 0o602):
        path.chmod(mode)
        assert f"others may read or change {path} (mode {mode:o})" in secret.trouble()
        with pytest.raises(ToolFailed, match="nothing was sent: others may read"):
            secret.read()
    path.chmod(0o600)
    assert (secret.read(), secret.trouble()) == ("one", "")
    for raw, told in ((b"\n", "is empty"), (b"\xff\xfe", "is no text"), (b"x" * 65_537, "longer than any secret")):
        path.write_bytes(raw)
        assert told in secret.trouble()
    path.write_bytes(b" two words \r\n")
    assert secret.read() == " two words ", "only the end of the line is no part of it"
    assert (
        "could not be read: Is a directory" in Secret(f"file:{tmp_path}").trouble()
        or "others may" in Secret(f"file:{tmp_path}").trouble()
    )


def test_a_secret_shows_its_reference_and_what_is_none_is_not_quoted() -> None:
    assert repr(Secret("env:A")) == "Secret('env:A')"
    for wrong in (CANARY, "env:", "env:A B", "file:", "keyring:x", "keyring:/x", "vault:x", ""):
        with pytest.raises(BadConfiguration) as refused:
            Secret(wrong)
        assert "keyring:SERVICE/NAME" in refused.value.hint
        assert "is not shown" in str(refused.value)
    with pytest.raises(BadDeclaration, match=r"tool shop.x .*is no reference to a secret") as declared:
        tool("shop.x", effect="read", secrets=[CANARY])(lambda_tool)
    assert CANARY not in str(declared.value)


def lambda_tool(asked: Ask, call: ToolCall) -> Told:
    """Serve a declaration."""
    return Told(text="")


BACKEND = """
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

class Box(KeyringBackend):
    priority = 1
    def get_password(self, service, name):
        if service == "locked":
            raise KeyringError("it is locked")
        return {("shop", "api/key"): "one"}.get((service, name))
    def set_password(self, service, name, password): ...
    def delete_password(self, service, name): ...
"""
ASKS = """
from kernos import Secret
for place in ("shop/api/key", "shop/none", "locked/x"):
    print(Secret("keyring:" + place).trouble() or Secret("keyring:" + place).read())
"""


def test_a_keyring_is_asked_and_what_it_lacks_is_said(tmp_path: Path) -> None:
    (tmp_path / "box.py").write_text(BACKEND)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}",
        "PYTHON_KEYRING_BACKEND": "box.Box",
    }
    done = subprocess.run(
        [sys.executable, "-c", ASKS], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "one",
        "the keyring has no keyring:shop/none; add it: keyring set shop none",
        "the keyring could not be asked for keyring:locked/x: it is locked",
    ]


def test_without_the_package_a_keyring_reference_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['keyring'] = None\nfrom kernos import Secret\nprint(Secret('keyring:a/b').trouble())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "the package keyring is not installed; install kernos[keyring]"
