"""Messages into an answer; off until a provider is chosen.

- `types`: what is asked and what is answered, their bounds and their JSON form
- `provider`: what every provider offers, the error that all of them raise, and the one that refuses
- `service`: what a provider on a service does, whichever protocol it speaks
- `anthropic`, `openai`: the vendors' services, or others that speak their protocols
- `answers`: what makes an answer a response or a failure, and what it cost
- `instrumentation`: the span, the log line and the evidence of a call
- `config`: which provider the settings choose
"""
