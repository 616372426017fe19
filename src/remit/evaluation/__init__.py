"""What watches ended runs from outside, and can change none of them.

- `interface`: what is told of a run, what is answered, and what every provider offers
- `outgoing`: what may leave of it: secrets masked, then cut to length (pure)
- `noop`: tells nobody; used when nothing else was chosen
- `braintrust`: Braintrust's service
- `braintrust_connection`: its SDK, on a connection bounded in size and time
- `braintrust_failures`: its failures, in the bounded words of `interface`
- `braintrust_rows`: its rows, written, and read without trust (pure)
- `answers`: what any provider answers, read without trust (pure)
- `bounded_calls`: calls that end in time, whatever they do
- `guarded`: around every provider: bounded, silent, and harmless
- `config`: which provider the settings choose
"""
