"""Studio: the tools of a solo creator, and an agent that carries out a plan with them.

The tools write into a list in memory, where yours call a platform. Try the policies of this folder with
`kernos policy test --agents examples.content_studio.studio --policies examples/content_studio/policies`.
"""

from typing import Literal

from pydantic import BaseModel

from kernos import CallRefused, Context, ToolCall, agent, tool

OUTBOX: list[str] = []
"""What went out, by key: the same key goes out once."""


class Post(BaseModel):
    title: str
    text: str


class PlannedPost(Post):
    at: str


class Newsletter(BaseModel):
    subject: str
    text: str


class Reply(BaseModel):
    comment_id: str
    text: str


class ById(BaseModel):
    id: str


class Comment(BaseModel):
    id: str
    author: str
    text: str


class Piece(BaseModel):
    """One thing to do."""

    kind: Literal["publish", "schedule", "newsletter", "reply"]
    text: str
    about: str = ""


def _out(what: str, call: ToolCall) -> str:
    line = f"{call.key} {what}"
    if line not in OUTBOX:
        OUTBOX.append(line)
    return call.key


@tool("blog.comment", effect="read")
def comment(request: ById) -> Comment:
    """Look at a comment."""
    return Comment(id=request.id, author="reader", text="Which paper do you use?")


@tool("blog.publish", effect="idempotent")
def publish(request: Post, call: ToolCall) -> str:
    """Publish a post now."""
    return _out(f"published {request.title}", call)


@tool("blog.schedule", effect="idempotent")
def schedule(request: PlannedPost, call: ToolCall) -> str:
    """Put a post on the plan."""
    return _out(f"planned {request.title} for {request.at}", call)


@tool("mail.newsletter", effect="idempotent")
def newsletter(request: Newsletter, call: ToolCall) -> str:
    """Send the newsletter to everybody."""
    return _out(f"sent {request.subject}", call)


@tool("blog.reply", effect="idempotent")
def reply(request: Reply, call: ToolCall) -> str:
    """Answer a comment."""
    return _out(f"answered {request.comment_id}", call)


@agent("studio", tools=[comment, publish, schedule, newsletter, reply])
async def studio(ctx: Context, pieces: list[Piece]) -> list[str]:
    """Carry out a plan, piece by piece; what was refused is told."""
    return [await _carry_out(ctx, piece) for piece in pieces]


async def _carry_out(ctx: Context, piece: Piece) -> str:
    try:
        match piece.kind:
            case "publish":
                return await ctx.call(publish, Post(title=piece.about, text=piece.text))
            case "schedule":
                return await ctx.call(schedule, PlannedPost(title=piece.about, text=piece.text, at="tomorrow"))
            case "newsletter":
                return await ctx.call(newsletter, Newsletter(subject=piece.about, text=piece.text))
            case "reply":
                await ctx.call(comment, ById(id=piece.about))
                return await ctx.call(reply, Reply(comment_id=piece.about, text=piece.text))
    except CallRefused as refused:
        return f"refused: {refused}"
