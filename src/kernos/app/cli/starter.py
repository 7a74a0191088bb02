"""Starter: the files that `kernos init` writes: a small agent with one action, its test, its policy, its settings."""

_SETTINGS = """\
# What the kernos commands work with in this folder. Names are relative to it.

[kernos]
store = "store.kernos"        # the journal: one file, made at the first run
agents = ["agents.hello"]     # modules with agents
policies = "policies"         # Cedar files; without any, every action asks a person

# [models.default]            # then ctx.model(...) works
# kind = "openai"             # any OpenAI-compatible endpoint, near or far
# base_url = "http://127.0.0.1:11434/v1"
# model = "qwen3"
"""

_AGENT = '''\
"""Hello: an agent that greets people with printed cards. Change it, then run it again."""

from pathlib import Path

from pydantic import BaseModel

from kernos import CallRefused, Context, ToolCall, agent, tool


class Guest(BaseModel):
    name: str
    cards: int = 1


class Cards(BaseModel):
    text: str
    copies: int


@tool("cards.print_out", effect="idempotent")  # the same key gives the same file: it is safe to repeat
def print_out(cards: Cards, call: ToolCall) -> str:
    """Print cards; here, into a file that is named by the key of this action."""
    path = Path("cards") / f"{call.key}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{cards.text}\\n" * cards.copies, encoding="utf-8")
    return str(path)


@agent("hello", tools=[print_out])
async def hello(ctx: Context, guest: Guest) -> str:
    """Greet a guest with cards."""
    text = f"Hello {guest.name}!"
    await ctx.checkpoint("written", f"the card says: {text}")
    try:
        return await ctx.call(print_out, Cards(text=text, copies=guest.cards))
    except CallRefused as refusal:
        return f"no cards: {refusal}"
'''

_POLICY = """\
// Who may do what. `invoke`: at all. `unattended`: without asking a person first.

@id("cards")
permit (principal == Agent::"hello", action == Action::"invoke", resource is cards::print_out);

@id("cards.few")
permit (principal == Agent::"hello", action == Action::"unattended", resource is cards::print_out)
when { resource.copies <= 10 };
"""

_TEST = '''\
"""The hello agent in a kernel whose clock jumps and whose store is in memory; pytest needs nothing else."""

from pathlib import Path

from agents.hello import Guest, hello
from kernos.testing import crash_everywhere

POLICIES = Path(__file__).parent.parent / "policies"


async def test_it_greets_a_guest(virtual_kernel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the cards go
    async with virtual_kernel(hello, policies=POLICIES) as kernel:
        assert Path(await kernel.finish(hello, Guest(name="Ada"))).read_text() == "Hello Ada!\\n"


async def test_many_cards_wait_for_a_person(virtual_kernel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with virtual_kernel(hello, policies=POLICIES) as kernel:
        run = await kernel.start(hello, Guest(name="Ada", cards=50))
        async for event in run.events():
            if type(event.data).__name__ == "RunParked":
                await kernel.deny(run.id, "too many")
        assert "too many" in await run.result()
    assert not Path("cards").exists()


def test_wherever_it_crashes_the_guest_is_greeted_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    crash_everywhere(hello, Guest(name="Ada"), policies=POLICIES)
    assert len(list(Path("cards").iterdir())) == 1
'''

FILES = {
    "kernos.toml": _SETTINGS,
    "agents/hello.py": _AGENT,
    "policies/hello.cedar": _POLICY,
    "tests/test_hello.py": _TEST,
    "pytest.ini": "[pytest]\npythonpath = .\ntestpaths = tests\n",
}
"""File names, relative to the folder, and their texts."""
