"""Which evaluation provider the settings choose; doors ask once, and nothing below a door does."""

from remit.base.wording import listed, quoted
from remit.evaluation.guarded import GuardedEvaluation
from remit.evaluation.interface import DirectProvider, NoOpEvaluationProvider, failed
from remit.settings import Settings

PROVIDERS = ("noop", "braintrust")
"""Every word that EVALUATION_PROVIDER may hold."""

_GRACE_SECONDS = 5.0  # a provider that says itself that it was late can say what to do about it


def get_evaluation_provider(settings: Settings) -> GuardedEvaluation:
    """Return the provider that is chosen, guarded; nothing is loaded or sent before it is told.

    Raises:
        EvaluationProviderError: `misconfigured`; the message names the setting.
    """
    timeout_seconds = settings.provider_timeout_seconds + _GRACE_SECONDS
    return GuardedEvaluation(choose_provider(settings), timeout_seconds=timeout_seconds)


def choose_provider(settings: Settings) -> DirectProvider:
    """Return the provider that is chosen, as it is: what it raises is raised."""
    chosen = settings.evaluation_provider or "noop"
    if chosen == "noop":
        return NoOpEvaluationProvider()
    if chosen == "braintrust":
        from remit.evaluation.braintrust import BraintrustEvaluationProvider

        return BraintrustEvaluationProvider(
            api_key=settings.braintrust_api_key,
            project=settings.braintrust_project,
            api_url=settings.braintrust_api_url,
            timeout_seconds=settings.provider_timeout_seconds,
        )
    raise failed(
        "misconfigured",
        f"EVALUATION_PROVIDER is {quoted(chosen)}: set it to {listed(PROVIDERS)}",
    )
