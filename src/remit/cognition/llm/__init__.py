"""Messages into an answer; off until a provider is chosen.

- `types`: what is asked and what is answered
- `bounds`: what may be asked
- `strict_json`: their JSON form, read without trust
- `provider`: what every provider offers, and the error that all of them raise
- `noop`: refuses; used when nothing was chosen
- `anthropic`, `openai`: the vendors' services, or others that speak their protocols
- `anthropic_sdk`: Anthropic's SDK on a bounded connection
- `anthropic_answers`, `openai_answers`: their answers, read without trust
- `anthropic_failures`, `openai_failures`: their failures, in the bounded words of `types`
- `vendors`: what tells one vendor from another: its variables, its address, its words
- `service_provider`: what a provider on a service does, whichever protocol it speaks
- `service`: what providers on a service share: settings checked, a deadline
- `answers`: what makes an answer a response, or a refusal
- `usage`: tokens and cost in one form, whoever counted them
- `instrumentation`: the span, the log line and the evidence of a call
- `config`: which provider the settings choose
"""
