"""Tells Temporal which of Remit's errors are worth another try."""

from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from remit.errors import RemitError


class BoundedFailures(Interceptor):
    """Turns a :class:`RemitError` of an activity into an application failure with its type.

    Only a retryable one is retried. Every worker has this interceptor.
    """

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
