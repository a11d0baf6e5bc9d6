"""Config files: YAML 1.2, lines in messages, comments that survive, and schemas that say what a file may hold."""

from __future__ import annotations

import dataclasses
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from echo_env.common.config_file import ConfigError, read_layers, with_changes
from echo_env.common.config_schema import Schema
from echo_env.common.words import did_you_mean
from echo_env.lab import LabConfig
from echo_env.lab.config import preset_names as lab_presets
from echo_env.lab.config.schema import lab_schema
from echo_env.lab.simulation.breaks import break_probabilities
from echo_env.pathways import PathwaysConfig
from echo_env.pathways.config import preset_names as pathways_presets
from echo_env.pathways.config.schema import pathways_schema

# A dozen lines that stand for 8 ** 8 entries.
REPEATED = "\n".join(
    ["k0: &k0 [" + "x, " * 8 + "]"] + [f"k{n}: &k{n} [" + f"*k{n - 1}, " * 8 + "]" for n in range(1, 8)]
)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes a config file into the working directory, and gives its name."""
    monkeypatch.chdir(tmp_path)

    def writer(text: str, name: str = "lab.yaml") -> str:
        Path(name).write_text(text, encoding="utf8")
        return name

    return writer


@pytest.mark.parametrize("time", ["12:30", "'12:30'", '"12:30"'])
def test_clock_times_need_no_quotes(write: Callable[..., str], time: str) -> None:
    """A time of day is the same minute with and without quotes; YAML 1.2 reads no number to the base 60."""
    config = LabConfig.load(write(f"base: baseline\nappointments: {{fetal: [{time}, 08:15]}}"))
    assert config.appointments.fetal == (270, 15)


@pytest.mark.parametrize(("time", "shown"), [("0745", "745"), ("8.15", "8.15"), ("750", "750"), ("8:5", "'8:5'")])
def test_times_without_a_colon_are_refused(write: Callable[..., str], time: str, shown: str) -> None:
    """Neither an octal number, nor minutes, nor a decimal passes for a time of day."""
    path = write(f"base: baseline\nappointments:\n  fetal:\n    - 08:15\n    - {time}")
    message = f"appointments.fetal is {shown}, but must be a clock time such as '08:15' (line 5 of lab.yaml)"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        LabConfig.load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base: baseline\n\nroms: {fetal: 1}", "did you mean rooms?); allowed here: .* (line 3 of lab.yaml)"),
        ("base: baseline\nrooms:\n  fetal: 1\n  non_fetal: two", "from 0 to 999 (line 4 of lab.yaml)"),
        ("base: baseline\nhours:\n  openning: 08:00", "did you mean hours.opening?).* (line 3 of lab.yaml)"),
        ("base: baseline\nexam:\n  shape: 10\n  longest_min: 9", "which is 20 (line 4 of lab.yaml)"),
        ("base: baseline\nrooms:\n  non_fetal: 4\n  fetal: 0", "could ever be examined (line 4 of lab.yaml)"),
        ("base: baseline\nexam:\n  fetal:\n    shape: 6", "exam.fetal.mean_min is missing; .* (line 3 of lab.yaml)"),
        ("base: nowhere.yaml", "config 'nowhere.yaml' is neither a file nor a preset"),
        ("base: lab.yaml", "inherits from this config itself (line 1 of lab.yaml)"),
        ("rooms: {fetal: 1}\nrooms: {fetal: 2}", 'not valid YAML: found duplicate key "rooms" (line 2)'),
        ("rooms:\n  fetal: 1\n  fetal: 2", 'not valid YAML: found duplicate key "fetal" (line 3)'),
        ("rooms: {fetal: 1", "is not valid YAML: .* (line"),
        ("", "must be a YAML mapping of sections, not an empty file"),
        ("- 1", "must be a YAML mapping of sections, not a list"),
        (REPEATED, "lab.yaml has more than 100,000 entries, what aliases repeat included"),
    ],
)
def test_messages_name_the_line(write: Callable[..., str], text: str, message: str) -> None:
    """Each error is one sentence that ends with the line to be changed."""
    with pytest.raises(ConfigError, match=re.escape(message).replace(r"\.\*", ".*")) as caught:
        LabConfig.load(write(text))
    assert "\n" not in str(caught.value)


def test_a_line_of_an_inherited_file_is_named_with_that_file(write: Callable[..., str]) -> None:
    """What the base says wrongly is to be changed in the base."""
    write("base: baseline\nrooms:\n  fetal: one", "base.yaml")
    with pytest.raises(ConfigError, match=r"line 3 of base\.yaml"):
        LabConfig.load(write("base: base.yaml\nname: mine"))


def test_values_have_the_types_of_python(write: Callable[..., str]) -> None:
    """What a config holds can be pickled and written as JSON, whatever read it."""
    text = "name: &name lab\nwhole: 0x10\nnumber: 1.50\nyes: &yes true\nother: *yes\nnothing: null\nlist: [1, [2.0]]"
    data = read_layers("echo_env.lab", write(text)).data
    assert data == {
        "name": "lab", "whole": 16, "number": 1.5, "yes": True, "other": True, "nothing": None, "list": [1, [2.0]]
    }  # fmt: skip
    assert {type(value) for value in data.values()} == {str, int, float, bool, type(None), list}


def test_comments_survive_a_change() -> None:
    """The text of a config with another value differs in that value alone."""
    text = "# my lab\nbase: baseline\nrooms: {fetal: 2} # since May\n\n# the law\nexam:\n  mean_min: 50.0 # fitted\n"
    expected = text.replace("fetal: 2", "fetal: 3").replace("50.0", "47.5") + "breaks:\n  number: 1\n"
    changes = {("rooms", "fetal"): 3, ("exam", "mean_min"): 47.5, ("breaks", "number"): 1}
    assert with_changes(text, changes) == expected


def test_an_empty_section_can_be_filled() -> None:
    """A section that a file leaves empty, or takes out of its base, gets the fields of the change."""
    text = "days:\n  monday: # as usual\nbreaks: null\n"
    expected = "days:\n  monday: # as usual\n    late: 3\nbreaks:\n  number: 1\n"
    assert with_changes(text, {("days", "monday", "late"): 3, ("breaks", "number"): 1}) == expected


def test_configs_are_values() -> None:
    """Configs that hold the same are equal, have the same hash, and come back from a pickle."""
    for config in (LabConfig.load("scarce"), PathwaysConfig.load("baseline")):
        again = pickle.loads(pickle.dumps(config))
        assert again == config
        assert hash(again) == hash(config)
        with pytest.raises(AttributeError, match="cannot assign"):
            config.name = "other"  # type: ignore[misc]


def test_the_nearest_name_is_asked_about() -> None:
    """The question follows a name that is like a known one, and nothing follows one that is like none."""
    assert did_you_mean("fetl", ["fetal", "other"], "rooms.") == " (did you mean rooms.fetal?)"
    assert did_you_mean("x", ["fetal", "other"]) == ""


def misfits(schema: Schema, value: Any, root: Schema, place: str = "") -> list[str]:
    """Where a value does not fit a JSON schema, for the keywords that ours have."""
    if "$ref" in schema:
        schema = {
            **root["$defs"][schema["$ref"].rpartition("/")[2]],
            **{k: v for k, v in schema.items() if k[0] != "$"},
        }
    if "anyOf" in schema:
        return [] if any(not misfits(option, value, root) for option in schema["anyOf"]) else [place]
    if "not" in schema:
        return [] if misfits(schema["not"], value, root) else [place]
    types: dict[str, Any] = {
        "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
        "null": type(None),
    }  # fmt: skip
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds and not any(isinstance(value, types[k]) and (k == "boolean") >= isinstance(value, bool) for k in kinds):
        return [place]
    bad = [place] * (value not in schema.get("enum", [value]))
    if isinstance(value, str):
        bad += [place] * (len(value) < schema.get("minLength", 0) or not re.search(schema.get("pattern", ""), value))
    elif isinstance(value, (int, float)):
        bad += [place] * (not schema.get("minimum", value) <= value <= schema.get("maximum", value))
    elif isinstance(value, list):
        bad += [place] * (not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)))
        items = [*schema.get("prefixItems", []), *[schema.get("items", {})] * len(value)]
        for number, entry in enumerate(value):
            bad += misfits(items[number], entry, root, f"{place}[{number}]")
    elif isinstance(value, dict):
        properties = schema.get("properties", {})
        bad += [place] * (len(value) < schema.get("minProperties", 0))
        bad += [f"{place}.{name}" for name in schema.get("required", []) if name not in value]
        if schema.get("additionalProperties") is False:
            bad += [f"{place}.{name}" for name in value if name not in properties]
        for name in value.keys() & properties.keys():
            bad += misfits(properties[name], value[name], root, f"{place}.{name}")
        if isinstance(entry := schema.get("additionalProperties"), dict):
            for name in value.keys() - properties.keys():
                bad += misfits(entry, value[name], root, f"{place}.{name}")
        for pattern, entry in schema.get("patternProperties", {}).items():
            for name in value:
                bad += misfits(entry, value[name], root, f"{place}.{name}") if re.search(pattern, name) else [place]
    if "if" in schema:
        branch = "else" if misfits(schema["if"], value, root) else "then"
        bad += misfits(schema.get(branch, {}), value, root, place)
    return bad


def as_written(package: str, preset: str) -> dict[str, Any]:
    """A preset's own fields, ``base`` among them, without those that it inherits."""
    from ruamel.yaml import YAML

    folder = Path(__file__).parents[2] / package / "presets"
    return dict(YAML(typ="safe", pure=True).load((folder / f"{preset}.yaml").read_text(encoding="utf8")))


LAB, PATHWAYS = lab_schema(), pathways_schema()
PRESETS = [("echo_env/lab", LAB, name) for name in lab_presets()]
PRESETS += [("echo_env/pathways", PATHWAYS, name) for name in pathways_presets()]


@pytest.mark.parametrize(("package", "schema", "preset"), PRESETS, ids=lambda value: value if value is str else "")
def test_presets_fit_their_schema(package: str, schema: Schema, preset: str) -> None:
    """Editors find nothing wrong with the files that ship; with their bases laid under them neither."""
    assert misfits(schema, as_written(package, preset), schema) == []
    assert misfits(schema, read_layers(package.replace("/", "."), preset).data, schema) == []


@pytest.mark.parametrize(
    ("schema", "change", "place"),
    [
        (LAB, {"rooms": {"fetal": 1}}, ".rooms.non_fetal"),
        (LAB, {"rooms": {"fetal": "1", "non_fetal": 6}}, ".rooms.fetal"),
        (LAB, {"rooms": {"fetl": 1, "fetal": 1, "non_fetal": 6}}, ".rooms.fetl"),
        (LAB, {"hours": {"opening": "8.15", "closing": "17:00", "end": "19:00"}}, ".hours.opening"),
        (LAB, {"appointments": {"fetal": ["0815"], "non_fetal": []}}, ".appointments.fetal[0]"),
        (LAB, {"base": 3}, ".base"),
        (PATHWAYS, {"gamma": 1.5}, ".gamma"),
        (PATHWAYS, {"pathway": "linar"}, ".pathway"),
        (PATHWAYS, {"conditions": [3]}, ".conditions"),
    ],
)
def test_schemas_find_what_loading_would_refuse(schema: Schema, change: dict[str, Any], place: str) -> None:
    """A schema tells a wrong file from a right one, at the field that is wrong."""
    package = "echo_env/lab" if schema is LAB else "echo_env/pathways"
    assert misfits(schema, as_written(package, "baseline") | change, schema) == [place]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"rooms": {"fetal": 1}}, ".rooms"),
        ({"staff_groups": {}}, ".staff_groups"),
        ({"room_groups": {"a": {"count": "two"}}}, ".room_groups.a"),
        ({"exam_types": {"a": {"appointments": [None, "8.15"]}}}, ".exam_types.a"),
        ({"exam_types": {"a": {"unscheduled": {"eight": 1}}}}, ".exam_types.a"),
        ({"days": {"monday": 3}}, ".days.monday"),
        ({"base": "mri_unit", "appointments": {}}, ".appointments"),
        ({"hours": {"opening": "08:00", "closing": "09:00"}}, ".hours.end"),
        ({"penalty": {"idle_rule": "always"}}, ".penalty.idle_rule"),
    ],
)
def test_the_schema_finds_what_is_wrong_in_a_lab_with_exam_types(change: dict[str, Any], place: str) -> None:
    """A file with exam types, or with a base that has them, is checked against its own form."""
    assert misfits(LAB, as_written("echo_env/lab", "mri_unit") | change, LAB) == [place]


def test_a_base_with_exam_types_makes_a_file_one_of_that_form() -> None:
    """What a file may have depends on the form of the preset that it begins with."""
    assert misfits(LAB, {"base": "mri_unit", "exam": {"shape": 4}, "days": {"monday": None}}, LAB) == []


@pytest.mark.parametrize("schema", [LAB, PATHWAYS], ids=["lab", "pathways"])
def test_every_field_of_a_schema_is_described(schema: Schema) -> None:
    """Editors show what a field means, in which unit."""
    sections = {name: part["properties"] for name, part in schema["$defs"].items()}
    fields = [(name, field, node) for name, part in sections.items() for field, node in part.items()]
    assert [(name, field) for name, field, node in fields if not node.get("description")] == []
    assert all("minutes" in node["description"] for _, field, node in fields if field.endswith("_min"))
    forms = [schema] if "properties" in schema else [schema["then"], schema["else"]]
    whole = [item for form in forms for item in form["properties"].items()]
    assert [name for name, node in whole if not node.get("description") and "$ref" not in node] == []


def unbounded(node: Any, place: str = "") -> list[str]:
    """Where a JSON schema allows a number without a least or a largest value."""
    found: list[str] = []
    if isinstance(node, dict):
        if node.get("type") in ("integer", "number") and not {"minimum", "maximum"} <= node.keys():
            found.append(place)
        node = list(node.items())
    elif isinstance(node, list):
        node = list(enumerate(node))
    else:
        return found
    return found + [bad for key, value in node for bad in unbounded(value, f"{place}.{key}")]


@pytest.mark.parametrize("schema", [LAB, PATHWAYS], ids=["lab", "pathways"])
def test_every_number_has_bounds_in_the_schema(schema: Schema) -> None:
    """Editors know the least and the largest value of every number."""
    assert unbounded(schema) == []
    assert unbounded({"properties": {"n": {"type": "integer", "minimum": 0}}}) == [".properties.n"]


def numbers_of(config: Any, prefix: str = "") -> list[str]:
    """Paths of a config's numbers, a double underscore for the dot."""
    found = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found += numbers_of(value, f"{prefix}{field.name}__")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found.append(prefix + field.name)
    return found


@pytest.mark.parametrize("value", [10**12, 1e12, 10**19, 1e19, 10**400, float("inf"), float("nan"), -(10**12)])
@pytest.mark.parametrize("config", [LabConfig.load("baseline"), PathwaysConfig.load("baseline")], ids=["lab", "path"])
def test_no_field_takes_a_number_that_would_overflow(config: Any, value: float) -> None:
    """Every number of a config is refused beyond its bounds, by its name."""
    paths = numbers_of(config)
    assert len(paths) > 15
    for path in paths:
        with pytest.raises(ConfigError, match=f"^{path.replace('__', '.')} is ") as caught:
            config.replace(**{path: value})
        assert "but must be" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hours: {closing_min: 600}", "hours.closing_min is 600, but the file or its base gives hours.closing as well"),
        ("hours: {opening_min: 420}", "hours.opening_min is 420, but the file or its base gives hours.opening as well"),
        ("hours: {end_min: 700}", "hours.end_min is 700, but the file or its base gives hours.end as well, '19:00'"),
    ],
)
def test_minutes_beside_the_clock_times_of_a_base_are_refused(
    write: Callable[..., str], text: str, message: str
) -> None:
    """Hours are given once: minutes that a base's clock time would override are refused by name."""
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        LabConfig.load(write(f"base: baseline\n{text}"))
    assert str(caught.value).endswith("(line 2 of lab.yaml)")


def test_hours_that_are_no_numbers_are_refused_in_a_sentence(write: Callable[..., str]) -> None:
    """Minutes of opening that are text are refused by name."""
    hours = "{opening_min: early, closing: '17:00', end: '19:00'}"
    with pytest.raises(ConfigError, match=r"hours\.opening_min is 'early', but must be a whole"):
        LabConfig.load(write(f"hours: {hours}\nname: mine"))


@pytest.mark.parametrize(("both", "one"), [(0.8, 0.2), (0.7, 0.3), (0.9, 0.1), (0.1, 0.9), (1.0, 0.0)])
def test_probabilities_may_sum_to_one_in_floats(write: Callable[..., str], both: float, one: float) -> None:
    """Breaks that are always taken, and pathways that always change, load; whatever is left over is not negative."""
    text = f"base: baseline\nbreaks: {{both_probability: {both}, one_probability: {one}}}"
    law = LabConfig.load(write(text)).breaks
    assert break_probabilities(law, 2) == (pytest.approx(0, abs=1e-15), one, both)
    assert min(break_probabilities(law, 2)) >= 0
    changes = {"changes__appear_rate": both, "changes__disappear_rate": one}
    assert PathwaysConfig.load("baseline").replace(**changes).changes.appear_rate == both
    with pytest.raises(ConfigError, match=r"one_probability is .* but must be a number from 0 to 0"):
        LabConfig.load("baseline").replace(breaks__both_probability=0.8, breaks__one_probability=0.21)


def test_a_file_with_a_base_may_leave_out_what_one_without_must_have() -> None:
    """Completeness is asked for where nothing is inherited."""
    assert misfits(LAB, {"base": "scarce", "rooms": {"fetal": 1}}, LAB) == []
    assert ".hours" in misfits(LAB, {"rooms": {"fetal": 1, "non_fetal": 2}}, LAB)
