"""Both parts of an interval: for the number of days, and for not knowing the lab."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from echo_env.lab import ConfigError, evaluate, load_lab
from echo_env.lab.evaluation.bootstrap_labs import bootstrap_labs, uncertainty_path
from echo_env.lab.evaluation.input_uncertainty import dominates, two_parts, with_bootstrap

LAB = """
name: small
hours: {opening: "08:00", closing: "12:00", end: "13:00"}
exam: {shape: 9, mean_min: 30, shortest_min: 10, longest_min: 60}
exam_types:
  head: {appointments: ["08:00", "08:30", "09:00", "09:10"]}
room_groups: {magnets: {count: 1}}
staff_groups: {everybody: {count: 2}}
days:
  monday: {exam_types: {head: {appointments: ["11:00", "11:05"]}}}
  tuesday:
"""


def fitted_file(folder: Path, samples: list[list[float]], **fitted: float | None) -> Path:
    """A lab file with a bootstrap beside it."""
    path = folder / "lab.yaml"
    path.write_text(LAB, encoding="utf8")
    content = {"lab": "small", "resampled": "days", "fitted": fitted, "samples": samples}
    uncertainty_path(path).write_text(json.dumps(content), encoding="utf8")
    return path


def fields(**values: float | None) -> dict[str, float | None]:
    """Dotted fields, a double underscore for the dot."""
    return {name.replace("__", "."): value for name, value in values.items()}


@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_the_spread_between_labs_is_found_beside_that_of_days(spread: float) -> None:
    """The lab's part is its own spread, also where the days differ from lab to lab."""
    rng = np.random.default_rng(1)
    days, labs = 400, 200
    shared = rng.normal(0, 10, days)
    means = rng.normal(0, spread, labs)
    others = [mean + shared + rng.normal(0, 5, days) for mean in means]
    found = two_parts(shared + rng.normal(0, 5, days), others)
    assert found.simulation == pytest.approx(1.97 * math.hypot(10, 5) / math.sqrt(days), rel=0.1)
    assert found.lab == pytest.approx(1.97 * spread, rel=0.15, abs=0.25)
    assert found.half_width == pytest.approx(math.hypot(found.simulation, found.lab))
    assert found.dominated_by_lab == (spread > 1)


def test_days_without_a_value_are_left_out() -> None:
    """A metric that some days lack has its intervals from the others; one that all lack has none."""
    days = np.array([1.0, np.nan, 3.0, 2.0])
    found = two_parts(days, [days + 1, days - 1])
    assert found.mean == 2
    assert found.lab == pytest.approx(12.706 * math.sqrt(2), rel=1e-3)
    nothing = np.full(4, np.nan)
    assert math.isnan(two_parts(nothing, [nothing, nothing]).lab)
    assert two_parts(nothing, [nothing, nothing]).as_json()["mean"] is None


def test_the_sentence_names_the_larger_part() -> None:
    """Which part dominates, and what would help."""
    days = np.arange(4.0)
    wide, narrow = two_parts(days, [days + k * 9 for k in range(3)]), two_parts(days, [days] * 3)
    assert "not knowing the lab dominates" in dominates("wait_min", [narrow, wide], 3, 4)
    assert "the number of days dominates" in dominates("wait_min", [narrow], 3, 4)
    same = two_parts(np.zeros(4), [np.zeros(4)] * 3)
    assert dominates("wait_min", [same], 3, 4) == "wait_min: the same on all days and in all labs."


def test_policies_are_compared_in_each_lab(tmp_path: Path) -> None:
    """Longer exams in some labs make the lab's part; the lab itself gives the mean."""
    path = fitted_file(tmp_path, [[25.0], [30.0], [35.0]], **fields(exam__mean_min=30))
    source = f"{path}#tuesday"
    labs, config = bootstrap_labs(source, 3).labs, load_lab(source)

    def play(lab: object) -> object:
        return evaluate(lab, ["policy_2", "random"], 20, 1)  # type: ignore[arg-type]

    found = with_bootstrap(play(config), labs, (), play)  # type: ignore[arg-type]
    assert found.mean("policy_2", "wait_min").mean == found.comparison.mean("policy_2", "wait_min").mean
    assert found.mean("policy_2", "wait_min").lab > 1
    assert found.paired("random", "wait_min").half_width >= 0
    numbers = found.as_json()
    assert numbers["labs"] == 3
    json.dumps(numbers, allow_nan=False)


def test_a_day_of_a_file_has_labs_of_its_own(tmp_path: Path) -> None:
    """The bootstrap of a file with days is laid over the day that is asked for."""
    path = fitted_file(
        tmp_path, [[25.0, 5], [35.0, None]], **{"exam.mean_min": 30, "room_groups.magnets.turnover_min": None}
    )
    labs = bootstrap_labs(f"{path}#monday", 2).labs
    assert [lab.exam.mean_min for lab in labs] == [25.0, 35.0]
    assert [lab.room_groups["magnets"].turnover_min for lab in labs] == [5, 0]
    assert all(lab.exam_types["head"].appointments == (180, 185) for lab in labs)


def test_chosen_and_edited_fields_are_held(tmp_path: Path) -> None:
    """A field that is swept, or edited since the fit, is as in the file in all labs."""
    path = fitted_file(tmp_path, [[25.0, 4.0], [35.0, 5.0]], **fields(exam__mean_min=30, exam__shape=8))
    source = f"{path}#tuesday"
    found = bootstrap_labs(source, 2)
    assert found.held == ("exam.shape",)
    assert [(lab.exam.mean_min, lab.exam.shape) for lab in found.labs] == [(25.0, 9), (35.0, 9)]
    swept = bootstrap_labs(source, 2, ["exam.mean_min"])
    assert [lab.exam.mean_min for lab in swept.labs] == [30, 30]


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    """No bootstrap, a file of another kind, and too many or too few labs are each said in a sentence."""
    path = fitted_file(tmp_path, [[25.0], [35.0]], **fields(exam__mean_min=30))
    source = f"{path}#tuesday"
    for count in (1, 3):
        with pytest.raises(ValueError, match=f"input-uncertainty is {count}, but must be a whole number from 2 to 2"):
            bootstrap_labs(source, count)
    uncertainty_path(path).write_text("[]", encoding="utf8")
    with pytest.raises(ConfigError, match=r"lab\.uncertainty\.json is not a file that echo-lab calibrate wrote"):
        bootstrap_labs(source, 2)
    uncertainty_path(path).unlink()
    with pytest.raises(ConfigError, match=r"beside a lab, but .*lab\.yaml#tuesday has no .*lab\.uncertainty\.json"):
        bootstrap_labs(source, 2)
