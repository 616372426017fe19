"""Tells Temporal which of Remit's errors are worth another try.

The worker puts this around every activity: a :class:`RemitError` crosses into Temporal as an
application failure with its bounded type, and only a retryable one is retried.
"""

from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from remit.errors import RemitError


class BoundedFailures(Interceptor):
    """The interceptor to give to every worker."""

    def intercept_activity(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002 - temporalio's name
    ) -> ActivityInboundInterceptor:
        """Put the translation around an activity."""
        return _Translation(next)


class _Translation(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:  # noqa: A002
        try:
            return await super().execute_activity(input)
        except RemitError as error:
            raise ApplicationError(
                str(error), type=error.error_type, non_retryable=not error.retryable
            ) from error
