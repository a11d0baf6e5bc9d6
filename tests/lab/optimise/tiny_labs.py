"""Labs that are small enough to try everything."""

from __future__ import annotations

from echo_env.lab import LabConfig, load_lab


def one_room_lab(*times: int) -> LabConfig:
    """One room and one sonographer, with non-fetal patients only.

    :param times: of the appointments, minutes since opening
    """
    return load_lab("baseline").replace(
        name="crowded",
        appointments__fetal=(),
        appointments__non_fetal=times,
        rooms__fetal=0,
        rooms__non_fetal=1,
        sonographers__fetal=0,
        sonographers__non_fetal=1,
        sonographers__always_present_fetal=0,
        sonographers__always_present_non_fetal=1,
    )
