"""``--input-uncertainty``: the labs of a calibration's bootstrap, played beside the lab itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from echo_env.commands.inputs.evaluate_options import EvaluateOptions
from echo_env.common.tables import progress_bar
from echo_env.lab import Comparison, Lab, Policy, evaluate
from echo_env.lab.evaluation.bootstrap_labs import BootstrapLabs, bootstrap_labs
from echo_env.lab.evaluation.input_uncertainty import InputUncertainty, with_bootstrap


def find_labs(options: EvaluateOptions, chosen: Sequence[str] = ()) -> BootstrapLabs | None:
    """The labs that ``--input-uncertainty`` asks for; None if it is not given.

    :param options: what is asked for
    :param chosen: fields whose values are chosen, not fitted, as in a sweep
    :raises ValueError: no ``--config``, or no file of a bootstrap beside it, or too many labs
    """
    if not options.input_uncertainty:
        return None
    if options.config is None:
        raise ValueError("--input-uncertainty takes the bootstrap of a fitted lab, but no lab is given with --config")
    return bootstrap_labs(options.config, options.input_uncertainty, chosen)


def play_labs(
    options: EvaluateOptions,
    comparison: Comparison,
    found: BootstrapLabs,
    make: Callable[[Lab], Mapping[str, Policy]],
) -> InputUncertainty:
    """Play the labs of a bootstrap on days of the same seed, with a progress bar.

    :param options: what is asked for
    :param comparison: in the lab itself
    :param found: the labs
    :param make: lab -> policies for it, by what was typed
    """
    with progress_bar("labs", len(found.labs)) as advance:

        def play(lab: Lab) -> Comparison:
            policies = list(make(lab).values())
            played = evaluate(
                lab, policies, options.days, options.seed, None, options.engine, options.workers, comparison.reference
            )
            advance(1)
            return played

        return with_bootstrap(comparison, found.labs, found.held, play)
