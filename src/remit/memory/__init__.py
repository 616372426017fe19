"""Box 6, recall: what may be remembered, and the few questions that thinking code may ask.

- `queries`: the four questions, each with its bounds
- `results`: the frozen answers; an embedding is in none of them
- `reader`: the Protocol of whatever answers, the reader of the database, and one that knows nothing
- `enforcement`: the mark of a question, the record of every read
- `vector`: embeddings stored, and searched by meaning
- `writing`: what a new memory may be, and what its author signs
- `repository`: the SQL of memories, embeddings, reads and the questions about what else happened
- `nearest`: the search by meaning, as one statement
- `working_memory`: where a run's state of the moment may live
"""
