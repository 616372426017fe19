"""What watches ended runs from outside, and can change none of them.

- `interface`: what is told of a run, what is answered, what every provider offers, and the one that
  tells nobody
- `checks`: what may leave of it, and what any provider answers, read without trust (pure)
- `guarded`: around every provider: bounded, silent, and harmless
- `braintrust`: Braintrust's service, and its rows
- `braintrust_client`: its SDK on a bounded connection, and what its errors mean
- `config`: which provider the settings choose
"""
