"""The agents and tools that kernos is measured with, and the policy over them."""

from pydantic import BaseModel

from benchmarks.measure import RESULT, STEPS_A_RUN
from kernos.authoring.agent import agent
from kernos.authoring.tool import tool
from kernos.execution.context import Context


class Ask(BaseModel):
    n: int


class Text(BaseModel):
    text: str


@tool(effect="read")
async def look(ask: Ask) -> Text:
    """Return 1 KB without reaching outside."""
    return Text(text=RESULT)


@tool(effect="idempotent")
async def act(ask: Ask) -> Text:
    """Return 1 KB as a service that honours keys would, without the service."""
    return Text(text=RESULT)


@agent(tools=[look])
async def reader(ctx: Context, ask: Ask) -> Ask:
    """Ten steps that only read: they are recorded and may run ahead of the disk; the answer waits for all of them."""
    texts = [(await ctx.call(look, Ask(n=n))).text for n in range(STEPS_A_RUN)]
    return Ask(n=len(texts))


@agent(tools=[act])
async def actor(ctx: Context, ask: Ask) -> Ask:
    """Ten actions, each with its intent on disk before it is performed."""
    texts = [(await ctx.call(act, Ask(n=n))).text for n in range(STEPS_A_RUN)]
    return Ask(n=len(texts))


@agent(tools=[look])
async def waiter(ctx: Context, ask: Ask) -> Ask:
    """Five steps, a wait for a signal, five more steps."""
    half = STEPS_A_RUN // 2
    texts = [(await ctx.call(look, Ask(n=n))).text for n in range(half)]
    got = await ctx.wait("go", int)
    texts += [(await ctx.call(look, Ask(n=n))).text for n in range(half)]
    return Ask(n=len(texts) + got)


@agent()
async def parker(ctx: Context, ask: Ask) -> Ask:
    """Wait for a signal at once."""
    return Ask(n=await ctx.wait("go", int))


POLICY = """
@id("reads") permit (principal, action, resource in Effect::"read");
@id("small_acts") permit (principal, action, resource is act) when { resource.n < 1000 };
@id("attended") permit (principal, action == Action::"invoke", resource);
"""
