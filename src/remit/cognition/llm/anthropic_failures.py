"""What a failure of Anthropic's SDK means, in the bounded words of `types`; `anthropic` asks.

The table is that of `remit.cognition.service_failures`; nothing that the SDK wrote is repeated.
"""

from functools import partial

import anthropic

from remit.cognition.llm.vendors import ANTHROPIC, error_of
from remit.cognition.service_failures import SdkErrors

_ERRORS = SdkErrors(
    late=anthropic.APITimeoutError,
    unreachable=anthropic.APIConnectionError,
    refused=anthropic.APIStatusError,
)

failure_of = partial(error_of, errors=_ERRORS, vendor=ANTHROPIC)
"""Returns what an error means; see :func:`remit.cognition.llm.vendors.error_of`."""
