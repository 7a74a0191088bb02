"""Commands about tree heads that are kept elsewhere."""

from typing import Annotated

import typer

from kernos.app.cli.options import Config, Store

heads = typer.Typer(
    help="The store's signed tree heads: write them out to be kept elsewhere.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@heads.command("export")
def export_heads(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; without it they are printed.")] = "",
    newest: Annotated[
        bool,
        typer.Option("--newest", help="Only the newest: one line, for a mail or a sheet of paper."),
    ] = False,
    store: Store = "",
    config: Config = "",
) -> None:
    """Write the signed tree heads to a file to be kept where nobody who can change the store can change it.

    A file that is there is added to, or left as it is when the store contradicts it. `kernos verify --heads FILE` compares.
    """
    from kernos.app.cli.copying import copy_heads
    from kernos.app.cli.opening import settings_of

    copy_heads(settings_of(config, store), file, newest_only=newest)
