"""What a failure of OpenAI's SDK means, in the bounded words of `types`; `openai` asks.

The table is that of `remit.cognition.service_failures`; nothing that the SDK wrote is repeated.
"""

from functools import partial

from remit.cognition.llm.vendors import OPENAI, error_of
from remit.cognition.openai_errors import OPENAI_ERRORS

failure_of = partial(error_of, errors=OPENAI_ERRORS, vendor=OPENAI)
"""Returns what an error means; see :func:`remit.cognition.llm.vendors.error_of`."""
