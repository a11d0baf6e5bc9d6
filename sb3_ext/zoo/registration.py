"""The algorithms of our own made known to rl_zoo3."""

from sb3_ext.zoo.algorithms import MASKABLE, converters, samplers


def register() -> None:
    """
    Register the maskable algorithms with rl_zoo3. May be called more than once.

    rl_zoo3 has no hook for any of this, so its tables and two names in its ``exp_manager`` are replaced here,
    and only here:

    - ``ALGOS``, ``HYPERPARAMS_SAMPLER`` and ``HYPERPARAMS_CONVERTER`` get the rows of
      :data:`~sb3_ext.zoo.algorithms.TABLE` (without the latter two, ``--optimize`` ends in a KeyError);
    - ``EvalCallback`` and ``TrialEvalCallback`` become ones that pass masks to the models that take them
      (without, a maskable model is evaluated unmasked and the best model is chosen on that).
    """
    from rl_zoo3 import ALGOS, exp_manager, hyperparams_opt

    from sb3_ext.zoo import evaluation
    from sb3_ext.zoo.search import trials

    ALGOS.update(MASKABLE)
    hyperparams_opt.HYPERPARAMS_SAMPLER.update(samplers())
    hyperparams_opt.HYPERPARAMS_CONVERTER.update(converters())
    exp_manager.EvalCallback = evaluation.ZooEvalCallback
    exp_manager.TrialEvalCallback = trials.ZooTrialEvalCallback
