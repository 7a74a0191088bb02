"""Settings: options before environment before file before defaults, checked once, with sentences about what is wrong."""

from pathlib import Path

import pytest

from kernos.app.settings import OpenAISettings, Options, load_settings
from kernos.vocabulary.errors import BadConfiguration

FILE = """
[kernos]
store = "data/desk.kernos"
agents = ["agents.hello"]
policies = "policies"
by = "ana"

[models.default]
kind = "openai"
base_url = "http://127.0.0.1:1/v1"
model = "small"
"""


def write(folder: Path, text: str = FILE) -> Path:
    file = folder / "kernos.toml"
    file.write_text(text)
    return file


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(Options(), {}, tmp_path)
    assert settings.store == tmp_path / "store.kernos"
    assert (settings.agents, settings.policies, settings.by) == ((), None, "person:local")
    assert set(settings.sources.values()) == {"default"}


def test_the_file_is_found_from_below_and_its_names_are_relative_to_it(tmp_path: Path) -> None:
    file = write(tmp_path)
    below = tmp_path / "agents" / "deep"
    below.mkdir(parents=True)
    settings = load_settings(Options(), {}, below)
    assert (settings.file, settings.folder) == (file, tmp_path)
    assert settings.store == tmp_path / "data" / "desk.kernos"
    assert settings.policies == tmp_path / "policies"
    assert settings.by == "person:ana"
    model = settings.models["default"]
    assert isinstance(model, OpenAISettings)
    assert model.api_key == ""


def test_the_environment_goes_before_the_file_and_options_go_before_both(tmp_path: Path) -> None:
    write(tmp_path)
    environ = {"KERNOS_STORE": "env.kernos", "KERNOS_AGENTS": "one, two", "KERNOS_BY": "service:cron"}
    here = tmp_path / "here"
    here.mkdir()
    by_environment = load_settings(Options(), environ, here)
    assert by_environment.store == here / "env.kernos"
    assert by_environment.agents == ("one", "two")
    assert by_environment.by == "service:cron"
    by_option = load_settings(Options(store="opt.kernos", agents=["three"], by="bob"), environ, here)
    assert (by_option.store, by_option.agents, by_option.by) == (here / "opt.kernos", ("three",), "person:bob")
    assert by_option.sources == {"store": "--store", "policies": "kernos.toml", "agents": "--agents", "by": "--by"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[kernos", "is not TOML"),
        ("[kernos]\nstor = 'x'", "stor"),
        ("[kernos]\nagents = 'agents.hello'", "agents"),
        ("[models.default]\nkind = 'oracle'", "oracle"),
        ("[models.default]\nkind = 'openai'\nmodel = 'x'", "base_url"),
        ("[other]\nx = 1", "other"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(BadConfiguration) as raised:
        load_settings(Options(), {}, tmp_path)
    assert str(file) in str(raised.value)
    assert said in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize("name", ["", "person:", ":ana", "a b"])
def test_nobody_cannot_act(tmp_path: Path, name: str) -> None:
    if not name:
        assert load_settings(Options(by=name), {}, tmp_path).by == "person:local"
        return
    with pytest.raises(BadConfiguration, match="names nobody"):
        load_settings(Options(by=name), {}, tmp_path)


@pytest.mark.parametrize(
    "said", ['api_key = "sk-live-canary"', 'api_key = "env:sk live canary"', 'api_key_env = "sk-live-canary"']
)
def test_a_key_that_stands_in_the_file_itself_is_refused_and_shown_by_no_command(tmp_path: Path, said: str) -> None:
    file = write(tmp_path, f'[models.far]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n{said}\n')
    with pytest.raises(BadConfiguration) as refused:
        load_settings(Options(), {}, tmp_path)
    assert "canary" not in f"{refused.value} {refused.value.hint}"
    assert str(file) in str(refused.value) or "model far, api_key" in str(refused.value)
    assert "env:NAME" in refused.value.hint
    assert "is not TOML" not in str(refused.value)
