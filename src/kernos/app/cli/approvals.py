"""Commands about signed answers: show what a person is asked and what they said, check a token anywhere, and give out the public key."""

from typing import Annotated

import typer

from kernos.app.cli.options import AsJson, By, Config, PlaceArg, Store

approval = typer.Typer(
    help="Signed answers of people: show one, verify one without the store, print the public key.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@approval.command()
def show(place: PlaceArg, store: Store = "", config: Config = "", json: AsJson = False) -> None:
    """Show what a person is asked, and once they said yes, the signed token.

    The token binds their yes to exactly this: its digest of what was shown is that of the lines printed here.
    """
    import asyncio

    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.tokens import show_approval

    asyncio.run(show_approval(settings_of(config, store), place, as_json=json))


@approval.command()
def ask(
    place: PlaceArg,
    question: Annotated[str, typer.Argument(metavar="TEXT", help="What you want to know first.")],
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Ask something back before saying yes or no; the call waits as long as before."""
    from kernos.app.cli.saying import Said, say

    say(Said("ask_back", place, {"question": question}), config, store, by, json)


@approval.command()
def reply(
    place: PlaceArg,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The answer.")],
    by: By = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> None:
    """Answer what was asked back about a call that waits."""
    from kernos.app.cli.saying import Said, say

    say(Said("explain", place, {"text": text}), config, store, by, json)


@approval.command()
def verify(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The token; - reads it from standard input.")],
    key: Annotated[
        str,
        typer.Option(
            "--key", metavar="FILE", help="The public key: JWK, a set of them, or PEM; else those of the store."
        ),
    ] = "",
    arguments: Annotated[
        str, typer.Option("--arguments", metavar="JSON", help="Check that the yes is to these arguments.")
    ] = "",
    store: Store = "",
    config: Config = "",
    json: AsJson = False,
) -> int:
    """Check a signed answer; with --key no store is needed.

    Exit code 1 when nobody with this key signed it, when others may have the key, or when it is for other arguments.
    """
    from kernos.app.cli.opening import settings_of
    from kernos.app.cli.tokens import verify_token

    return verify_token(settings_of(config, store), token, key, arguments, as_json=json)


@approval.command()
def key(
    every: Annotated[
        bool, typer.Option("--all", help="Also those that were rotated away, as a set: for tokens of before.")
    ] = False,
    store: Store = "",
    config: Config = "",
) -> None:
    """Print the store's public key as JSON Web Key, for whoever checks tokens elsewhere."""
    from kernos.app.cli.opening import existing, settings_of
    from kernos.app.stores import open_tokens

    tokens = open_tokens(existing(settings_of(config, store)).store)
    print(tokens.public_jwk_set() if every else tokens.public_jwk())
