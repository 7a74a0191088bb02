"""A bare Typer script with two commands: what `--help` costs at least for a program that uses Typer."""

import typer

app = typer.Typer(help="Say things.")


@app.command()
def hello(name: str) -> None:
    """Greet somebody."""
    typer.echo(f"Hello {name}")


@app.command()
def bye(name: str) -> None:
    """Take leave of somebody."""
    typer.echo(f"Bye {name}")


if __name__ == "__main__":
    app()
